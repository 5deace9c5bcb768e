/**
 * The wall: entry module. `<wall-app>` wires the parts together: feed → store → pacer → show,
 * and beside them strip, status and counters.
 */
import { Announcer, wantsStillness } from "./a11y.js";
import { mountControls } from "./controls.js";
import { Feed } from "./feed.js";
import { Frame } from "./frame.js";
import { Spotlight } from "./layout-spotlight.js";
import { Notice } from "./notice.js";
import { Pacer } from "./pacer.js";
import { refreshTimes } from "./post.js";
import { mountReturns } from "./returns.js";
import { directionOf, readSettings } from "./settings.js";
import { Show } from "./show.js";
import { nextChange, statusOf } from "./status.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { wordsIn } from "./words.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./store.js").Snapshot} Snapshot */
/** @typedef {import("./feed.js").Frame} JournalFrame */

const TIMES_EVERY_MS = 15000;
/** Each layout offers what `layout-spotlight.js` describes. */
const LAYOUTS = { spotlight: Spotlight };

class WallApp extends HTMLElement {
  connectedCallback() {
    if (this.feed) return;
    const page = /** @type {Record<string, string>} */ ({ ...document.body.dataset });
    const { settings } = readSettings(location.search);
    const lang = settings.lang || document.documentElement.lang || "en";
    document.documentElement.lang = lang;
    document.documentElement.dir = directionOf(lang);
    const words = (this.words = wordsIn(lang));
    const still = () => wantsStillness(settings.motion);
    const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (this.querySelector(selector));

    /** @type {Snapshot} */
    const snapshot = JSON.parse(document.getElementById("snapshot")?.textContent || "{}");
    this.settings = settings;
    this.store = new Store();
    this.pacer = new Pacer({ dwell: settings.dwell });
    this.frame = new Frame(this, words, settings, page.tag);
    this.notice = new Notice(this, page.noticeUrl, () => this.update());
    this.strip = new Strip(part(".strip"), still, words);
    this.announcer = new Announcer(part(".announcer"), words, page.tag);
    const Layout = LAYOUTS[/** @type {keyof typeof LAYOUTS} */ (settings.layout)];
    const layout = new Layout(part(".stage"), part(".backdrop"), { tag: page.tag, words, settings, still });
    this.show = new Show(this.pacer, layout, {
      loop: () => this.loop(),
      shown: (post) => this.shown(post),
    });
    /** Posts of a replay that nobody has seen yet. @type {Set<string>} */
    this.replay = new Set();
    this.paused = false;
    this.newestKnown = "";
    this.line = { downSince: /** @type {number | null} */ (Date.now()), everUp: false, lost: false, reloading: false };
    this.statusTimer = 0;

    this.take(snapshot, true);
    const socketScheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.feed = new Feed(
      { socket: `${socketScheme}//${location.host}${page.socket}`, snapshot: page.snapshotUrl, cursor: snapshot.cursor || 0 },
      {
        frames: (frames, head) => this.frames(frames, head),
        reloading: () => this.reloading(),
        snapshot: (fresh) => this.take(fresh, false),
        up: () => this.up(),
        down: () => this.down(),
      },
    );
    this.feed.start();
    mountControls(this, { tag: page.tag, words, keys: settings.keys, pause: (on) => this.pause(on) });
    setInterval(() => refreshTimes(this, words), TIMES_EVERY_MS);
    mountReturns(this, () => refreshTimes(this, words));
  }

  /** A snapshot: the one in the page, or a new one after a gap too large to replay.
   * @param {Snapshot} snapshot
   * @param {boolean} first
   */
  take(snapshot, first) {
    const posts = Array.isArray(snapshot.posts) ? snapshot.posts : [];
    const { added, gone } = this.store.replace(posts);
    this.photos = snapshot.count || posts.length;
    this.people = snapshot.people || 0;
    this.notice.say(snapshot.notice);
    if (!first) {
      // What the snapshot does not hold may have been taken away: it must not stay or appear.
      const waiting = this.pacer.queue.map(({ id }) => id);
      for (const id of new Set([...gone, ...waiting])) if (!this.store.get(id)) this.show.forget(id);
      for (const post of posts.slice().reverse()) {
        if (added.includes(post.id) && post.archived_at > this.newestKnown) this.arrive(post, true);
        else this.show.changed(post);
      }
      this.line.reloading = false;
    }
    for (const post of posts) this.know(post);
    this.strip.fill(posts);
    this.strip.mark(this.show.current?.id ?? "");
    this.show.poke();
    this.update();
  }

  /** @param {JournalFrame[]} frames @param {number} head */
  frames(frames, head) {
    for (const frame of frames) {
      const replayed = this.line.lost && frame.seq <= head;
      if (frame.type === "removed") this.remove(frame);
      else if (frame.type === "pinned") this.pin(frame.id, frame.pinned);
      else if (frame.type === "added" || frame.type === "changed") this.put(frame, replayed);
    }
    this.show.poke();
    this.update();
  }

  /** @param {{type: "added" | "changed", seq: number, post: Post, folded?: string, past?: boolean}} frame @param {boolean} replayed */
  put({ type, seq, post, folded, past }, replayed) {
    if (this.store.isVoid(post, seq)) return;
    const counts = type === "added" && !this.store.get(folded ?? post.id);
    const isNew = !this.fold(post, seq, folded) && type === "added";
    this.photos += Number(counts);
    // A page that knows every post of this wall can count the people itself.
    if (counts && this.store.shots >= this.photos) this.people = Math.max(this.people, this.store.people);
    if (!isNew) return;
    this.know(post);
    this.strip.arrive(post);
    // A past that was read on request takes its places and is no news.
    if (!past) this.arrive(post, replayed);
  }

  /** Takes a post in where it, or a near-identical one, has its place: no second show for it.
   * @param {Post} post @param {number} seq @param {string} [folded]
   * @returns {boolean} whether there was such a place
   */
  fold(post, seq, folded) {
    const places = this.store.fold(post, folded);
    const moves = places.length > 0;
    if (this.store.put(post, seq) === "known") places.unshift(post.id);
    let inStrip = false;
    for (const id of places) {
      inStrip = this.strip.change(post, id) || inStrip;
      this.show.changed(post, id);
    }
    if (moves && !inStrip) this.strip.arrive(post);
    return places.length > 0;
  }

  /** @param {Post} post @param {boolean} replayed */
  arrive(post, replayed) {
    if (replayed) this.replay.add(post.id);
    this.pacer.arrive(post);
    this.announcer.arrived(post);
  }

  /** @param {Post} post */
  know(post) {
    if (post.archived_at > this.newestKnown) this.newestKnown = post.archived_at;
  }

  /** @param {{id: string, seq: number, instead?: Post}} frame `instead`: who takes its place */
  remove({ id, seq, instead }) {
    const next = instead && !this.store.isVoid(instead, seq) ? instead : null;
    // Removals of purged posts are told on every wall: only what we know was one of ours.
    if (this.store.get(id) || (next && this.store.faceOf(next))) this.photos = Math.max(0, this.photos - 1);
    if (next) this.fold(next, seq, id);
    this.store.remove(id, seq);
    this.strip.remove(id);
    this.show.removed(id);
  }

  /** @param {string} id @param {boolean} pinned */
  pin(id, pinned) {
    const post = this.store.get(id);
    if (!post) return;
    post.pinned = pinned;
    this.pacer.change(post);
  }

  /** What the idle loop draws from. With the loop off only the newest stays. */
  loop() {
    const posts = this.store.newest(this.settings.loop || 1);
    return posts.map((id) => /** @type {Post} */ (this.store.get(id)));
  }

  /** @param {Post} post */
  shown(post) {
    this.strip.mark(post.id);
    this.update();
  }

  up() {
    this.line.downSince = null;
    this.line.everUp = true;
    this.update();
  }

  down() {
    this.line.downSince ??= Date.now();
    this.line.lost = this.line.everUp;
    this.line.reloading = false;
    this.update();
  }

  reloading() {
    this.line.reloading = true;
    this.update();
  }

  /** @param {boolean} on */
  pause(on) {
    this.paused = on;
    this.rest();
    this.update();
  }

  rest() {
    const resting = this.paused || document.hidden;
    this.show.rest(resting);
    this.strip.rest(resting);
  }

  /** Brings status, counters and welcome in line with what is known. */
  update() {
    for (const id of this.replay) if (!this.pacer.has(id)) this.replay.delete(id);
    const { waiting, skipped } = this.pacer;
    const line = { ...this.line, paused: this.paused, waiting, skipped, catchingUp: this.replay.size, noticed: this.notice.said };
    const now = Date.now();
    this.frame.status(statusOf(line, now));
    this.frame.count(this.photos, this.people);
    const empty = !this.show.current && !this.store.order.length && !waiting;
    this.frame.empty(empty);
    this.notice.look(empty);
    if (this.feed) document.body.dataset.cursor = String(this.feed.cursor);
    clearTimeout(this.statusTimer);
    const next = nextChange(line, now);
    if (next !== null) this.statusTimer = window.setTimeout(() => this.update(), next + 5);
  }
}

customElements.define("wall-app", WallApp);
