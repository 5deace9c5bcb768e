/**
 * The page's one line to the server: a WebSocket, resumed by cursor. Never polls.
 *
 * The protocol is described in docs/reference/live-protocol.md. This module knows nothing of the
 * screen: it hands frames over in order, each once, and says whether the line is up. Clock,
 * chance and sockets can be handed in by tests.
 */

/** @typedef {import("./store.js").Snapshot} Snapshot */
/** @typedef {import("./store.js").Post} Post */
/**
 * @typedef {{type: "added" | "changed", seq: number, post: Post, folded?: string, past?: boolean}
 *   | {type: "removed", seq: number, id: string, instead?: Post}
 *   | {type: "pinned", seq: number, id: string, pinned: boolean}} Frame
 * @typedef {Object} Listener
 * @property {(frames: Frame[], head: number) => void} frames head = journal number at connect
 * @property {() => void} reloading the snapshot has been asked for
 * @property {(snapshot: Snapshot) => void} snapshot the gap was too large: start from this
 * @property {() => void} up the server has answered
 * @property {() => void} down the line is gone
 */

const BACK_OFF_MS = 1000;
const BACK_OFF_CAP_MS = 30000;
const SILENT_HEARTBEATS = 2.5;
const GREETING_MS = 10000;
const ACK_EVERY_MS = 2000;
const ACK_MESSAGES = 50;
const ACK_CHARACTERS = 256 * 1024;

export class Feed {
  /**
   * @param {{socket: string, snapshot: string, cursor: number}} address
   * @param {Listener} listener
   * @param {{WebSocket?: any, fetch?: any, random?: () => number, setTimeout?: any, clearTimeout?: any}} [world]
   */
  constructor(address, listener, world = {}) {
    this.address = address;
    this.cursor = address.cursor;
    this.listener = listener;
    this.WebSocket = world.WebSocket ?? globalThis.WebSocket;
    this.fetch = world.fetch ?? ((/** @type {any[]} */ ...args) => globalThis.fetch(args[0], args[1]));
    this.random = world.random ?? Math.random;
    this.setTimeout = world.setTimeout ?? ((/** @type {any} */ f, /** @type {number} */ ms) => globalThis.setTimeout(f, ms));
    this.clearTimeout = world.clearTimeout ?? ((/** @type {any} */ id) => globalThis.clearTimeout(id));
    /** @type {any} */
    this.socket = null;
    this.head = 0;
    this.heartbeat = 25;
    this.attempt = 0;
    this.stopped = true;
    /** @type {any} */
    this.retryTimer = null;
    /** @type {any} */
    this.watchdog = null;
    /** @type {any} */
    this.ackTimer = null;
    this.unacked = 0;
    this.unackedCharacters = 0;
  }

  start() {
    this.stopped = false;
    this.#connect();
  }

  /** Hangs up and stays silent until `start()`: the page goes into the back-forward cache. */
  stop() {
    this.stopped = true;
    this.clearTimeout(this.retryTimer);
    this.#hangUp(1000);
  }

  /** The network or the viewer is back: no reason to sit out the back-off. */
  hurry() {
    if (this.stopped || this.socket) return;
    this.attempt = 0;
    this.clearTimeout(this.retryTimer);
    this.#connect();
  }

  #connect() {
    this.retryTimer = null;
    let socket;
    try {
      socket = new this.WebSocket(`${this.address.socket}?since=${this.cursor}`);
    } catch {
      this.#retry(); // refused by the browser itself, e.g. while the page is being closed
      return;
    }
    this.socket = socket;
    socket.onmessage = (/** @type {any} */ event) => {
      if (socket === this.socket) this.#take(String(event.data));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.#lost();
    };
    this.#watch(GREETING_MS);
  }

  #retry() {
    if (this.stopped) return;
    const ceiling = Math.min(BACK_OFF_CAP_MS, BACK_OFF_MS * 2 ** Math.min(this.attempt, 10));
    this.attempt += 1;
    this.retryTimer = this.setTimeout(() => this.#connect(), this.random() * ceiling);
  }

  #lost() {
    this.#hangUp(1000);
    this.listener.down();
    this.#retry();
  }

  /** @param {number} code */
  #hangUp(code) {
    const socket = this.socket;
    this.socket = null;
    this.clearTimeout(this.watchdog);
    this.clearTimeout(this.ackTimer);
    this.ackTimer = null;
    this.unacked = 0;
    this.unackedCharacters = 0;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(code);
  }

  /** No message for 2.5 heartbeats: the line is dead, whatever the socket says. */
  #watch(ms = this.heartbeat * SILENT_HEARTBEATS * 1000) {
    this.clearTimeout(this.watchdog);
    this.watchdog = this.setTimeout(() => this.#lost(), ms);
  }

  /** @param {string} text */
  #take(text) {
    this.#watch();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      this.#lost(); // not our server; start afresh rather than guess
      return;
    }
    if (message.type === "hello") {
      this.head = message.cursor;
      this.heartbeat = message.heartbeat > 0 ? message.heartbeat : 25;
      this.#watch();
      this.listener.up();
    } else if (message.type === "frames") {
      this.#frames(message, text.length);
    } else if (message.type === "ping") {
      this.attempt = 0; // a line that has lasted a heartbeat: the next break starts anew
      this.cursor = Math.max(this.cursor, message.cursor);
      this.#send({ type: "pong" });
    } else if (message.type === "reload") {
      this.#reload();
    }
  }

  /** @param {{cursor: number, frames: Frame[]}} message @param {number} size */
  #frames(message, size) {
    const news = message.frames.filter((frame) => frame.seq > this.cursor);
    this.cursor = Math.max(this.cursor, message.cursor);
    this.attempt = 0;
    if (news.length) this.listener.frames(news, this.head);
    this.unacked += 1;
    this.unackedCharacters += size;
    if (this.unacked >= ACK_MESSAGES || this.unackedCharacters >= ACK_CHARACTERS) this.#ack();
    else if (!this.ackTimer) this.ackTimer = this.setTimeout(() => this.#ack(), ACK_EVERY_MS);
  }

  #ack() {
    this.clearTimeout(this.ackTimer);
    this.ackTimer = null;
    this.unacked = 0;
    this.unackedCharacters = 0;
    this.#send({ type: "ack", cursor: this.cursor });
  }

  async #reload() {
    const socket = this.socket;
    this.listener.reloading();
    let snapshot;
    try {
      const answer = await this.fetch(this.address.snapshot, { cache: "no-store" });
      if (!answer.ok) throw new Error(`snapshot answered ${answer.status}`);
      snapshot = await answer.json();
    } catch {
      if (socket === this.socket && socket) this.#lost(); // the back-off tries again
      return;
    }
    if (socket !== this.socket || !socket) return;
    // Taken as it is, even when smaller: the page now shows this state, and goes on from it.
    this.cursor = snapshot.cursor;
    this.listener.snapshot(snapshot);
    this.#send({ type: "resume", cursor: this.cursor });
  }

  /** @param {object} message */
  #send(message) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }
}
