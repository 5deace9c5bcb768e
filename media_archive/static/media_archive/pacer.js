/**
 * When the next post is shown, and which. Pure: the caller brings time and chance.
 *
 * Arrivals wait in a queue and are shown once each. Nothing waiting: the idle loop draws from the
 * newest posts. A burst is shown at a faster pace, so that 200 posts arriving in one second have
 * all been seen within 120 s. Beyond `SELECT_ABOVE` waiting posts a selection is shown and the
 * rest is counted in `skipped`.
 */

/** @typedef {import("./store.js").Post} Post */
/** @typedef {{post: Post, fresh: boolean}} Turn one showing; fresh = not shown on this page before */

export const BURST_ABOVE = 8;
export const SELECT_ABOVE = 600;
const SELECT_DOWN_TO = 500;
const PER_AUTHOR = 2;
const NOT_AGAIN_WITHIN = 10;
const PINNED_EVERY = 10;
const BURST_SECONDS = 110;

export class Pacer {
  /** @param {{dwell?: number, random?: () => number}} [options] dwell in seconds */
  constructor({ dwell = 8, random = Math.random } = {}) {
    this.dwell = dwell;
    this.random = random;
    /** @type {Post[]} in order of arrival */
    this.queue = [];
    /** @type {Map<string, Post>} taken by the stage, not painted yet */
    this.inHand = new Map();
    /** @type {string[]} newest showing last */
    this.shownLately = [];
    this.peak = 0;
    this.skipped = 0;
    this.turns = 0;
    this.idleTurns = 0;
  }

  /** How many arrivals have not been painted yet. */
  get waiting() {
    return this.queue.length + this.inHand.size;
  }

  get bursting() {
    return this.peak > BURST_ABOVE && this.waiting > 0;
  }

  /** @param {Post} post */
  arrive(post) {
    if (this.has(post.id)) {
      this.change(post);
      return;
    }
    this.queue.push(post);
    this.peak = Math.max(this.peak, this.waiting);
    if (this.queue.length > SELECT_ABOVE) this.#select();
  }

  /** @param {string} id */
  has(id) {
    return this.inHand.has(id) || this.queue.some((post) => post.id === id);
  }

  /** The new version of a post, or another shot of the same, takes the place of the waiting one.
   * @param {Post} post
   * @param {string} [id] of the one whose place it takes
   */
  change(post, id = post.id) {
    const twice = id !== post.id && this.has(post.id);
    this.queue = this.queue.flatMap((waiting) => (waiting.id !== id ? [waiting] : twice ? [] : [post]));
    if (this.inHand.delete(id) && !twice) this.inHand.set(post.id, post);
    this.shownLately = this.shownLately.map((shown) => (shown === id ? post.id : shown));
    this.#settle();
  }

  /** A removed post leaves queue and history.
   * @param {string} id
   */
  drop(id) {
    this.queue = this.queue.filter((post) => post.id !== id);
    this.inHand.delete(id);
    this.shownLately = this.shownLately.filter((shown) => shown !== id);
    this.#settle();
  }

  /** How long the post on screen keeps its place, in ms, as things stand now. */
  dwellMs() {
    const q = this.waiting;
    if (q === 0) return this.dwell * 1000;
    if (this.bursting) {
      return 1000 * Math.min(Math.max(BURST_SECONDS / this.peak, 0.5), 2, this.dwell);
    }
    return 1000 * Math.max(Math.min(4, this.dwell), this.dwell - 0.5 * q);
  }

  /** The next showing, or null when there is nothing to show.
   * @param {Post[]} loop what the idle loop may draw from, newest first
   * @returns {Turn | null}
   */
  take(loop) {
    if (this.queue.length) {
      const [post] = this.queue.splice(this.#nextIndex(), 1);
      this.inHand.set(post.id, post);
      this.turns += 1;
      return { post, fresh: true };
    }
    const post = this.#idle(loop);
    return post && { post, fresh: false };
  }

  /** A turn taken too early goes back to where it came from.
   * @param {Turn} turn
   */
  putBack(turn) {
    const post = this.inHand.get(turn.post.id);
    if (!turn.fresh || !post) return;
    this.inHand.delete(post.id);
    this.queue.unshift(post);
  }

  /** The post has been painted.
   * @param {string} id
   */
  shown(id) {
    this.inHand.delete(id);
    this.shownLately = this.shownLately.filter((shown) => shown !== id);
    this.shownLately.push(id);
    if (this.shownLately.length > NOT_AGAIN_WITHIN) this.shownLately.shift();
    this.#settle();
  }

  #settle() {
    if (this.waiting === 0) {
      this.peak = 0;
      this.skipped = 0;
      this.turns = 0;
    }
  }

  /** Pinned first; else newest and oldest in turn, in a burst one newest to three oldest. */
  #nextIndex() {
    const pinned = this.queue.findIndex((post) => post.pinned);
    if (pinned >= 0) return pinned;
    const every = this.bursting ? 4 : 2;
    return this.turns % every === 0 ? this.queue.length - 1 : 0;
  }

  /** @param {Post[]} loop */
  #idle(loop) {
    if (!loop.length) return null;
    if (!this.shownLately.length) return loop[0]; // a wall opens with its newest
    this.idleTurns += 1;
    const last = this.shownLately[this.shownLately.length - 1];
    if (this.idleTurns % PINNED_EVERY === 0) {
      const pinned = loop.filter((post) => post.pinned && post.id !== last);
      if (pinned.length) return pinned[Math.floor(this.random() * pinned.length)];
    }
    const shown = Math.min(NOT_AGAIN_WITHIN, loop.length - 1);
    const lately = new Set(shown ? this.shownLately.slice(-shown) : []);
    const free = loop.filter((post) => !lately.has(post.id));
    // Weights n, n-1 … 1 from the newest on.
    let ticket = (this.random() * free.length * (free.length + 1)) / 2;
    for (let i = 0; i < free.length; i += 1) {
      ticket -= free.length - i;
      if (ticket < 0) return free[i];
    }
    return free[0] ?? null;
  }

  /** Thins the queue: the newest two of each author, of unknown authors and the rest every k-th. */
  #select() {
    const before = this.queue.length;
    /** @type {Map<string, number>} */
    const counts = new Map();
    const fair = this.queue
      .slice()
      .reverse()
      .filter((post) => {
        const author = post.author?.user || post.author?.name;
        if (!author || post.pinned) return true;
        const count = (counts.get(author) ?? 0) + 1;
        counts.set(author, count);
        return count <= PER_AUTHOR;
      })
      .reverse();
    const k = fair.length / SELECT_DOWN_TO;
    this.queue =
      k <= 1 ? fair : fair.filter((post, i) => post.pinned || Math.floor(i / k) !== Math.floor((i - 1) / k));
    this.skipped += before - this.queue.length;
  }
}
