/**
 * The show: asks the pacer what comes next, has it prepared ahead, and puts it on screen when it
 * is both ready and due.
 */

/** @typedef {import("./pacer.js").Pacer} Pacer */
/** @typedef {import("./pacer.js").Turn} Turn */
/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./layout-spotlight.js").Spotlight} Layout */
/** @typedef {import("./layout-spotlight.js").Slide} Slide */
/** @typedef {{turn: Turn, slide: Slide | null}} Prepared */

/** A post of the idle loop gives way to a new one, but never sooner than this. */
const LEAST_MS = 500;
const AHEAD = 1;
const AHEAD_IN_BURST = 4;

export class Show {
  /**
   * @param {Pacer} pacer
   * @param {Layout} layout
   * @param {{loop: () => Post[], shown: (post: Post) => void}} wall
   */
  constructor(pacer, layout, wall) {
    this.pacer = pacer;
    this.layout = layout;
    this.wall = wall;
    /** @type {Prepared[]} */
    this.ahead = [];
    /** @type {{id: string, fresh: boolean, at: number} | null} */
    this.current = null;
    this.resting = false;
    this.timer = 0;
  }

  /** Something changed (an arrival, a removal, a picture got ready, time passed): look again. */
  poke() {
    clearTimeout(this.timer);
    if (this.resting) return;
    this.#fill();
    const next = this.ahead.findIndex((prepared) => prepared.slide);
    if (next < 0) return;
    const wait = this.#due(this.ahead[next].turn) - performance.now();
    if (wait > 0) this.timer = window.setTimeout(() => this.poke(), wait);
    else this.#put(this.ahead.splice(next, 1)[0]);
  }

  #fill() {
    if (this.pacer.queue.length) this.ahead = this.ahead.filter(({ turn }) => turn.fresh);
    const depth = this.pacer.bursting ? AHEAD_IN_BURST : AHEAD;
    while (this.ahead.length < depth) {
      const turn = this.pacer.take(this.ahead.length ? [] : this.wall.loop());
      if (!turn || (!turn.fresh && turn.post.id === this.current?.id)) return;
      /** @type {Prepared} */
      const prepared = { turn, slide: null };
      this.ahead.push(prepared);
      this.layout.prepare(turn.post).then((slide) => {
        prepared.slide = slide;
        if (this.ahead.includes(prepared)) this.poke();
      });
    }
  }

  /** @param {Turn} turn when it may be shown, in ms of `performance.now()` */
  #due(turn) {
    if (!this.current) return 0;
    if (turn.fresh && !this.current.fresh) return this.current.at + LEAST_MS;
    return this.current.at + this.pacer.dwellMs();
  }

  /** @param {Prepared} prepared */
  #put({ turn, slide }) {
    if (!slide) return;
    this.current = { id: turn.post.id, fresh: turn.fresh, at: performance.now() };
    this.pacer.shown(turn.post.id);
    this.layout.show(slide, this.pacer.dwellMs());
    this.wall.shown(turn.post);
    this.poke();
  }

  /** What was prepared from the old version is prepared again.
   * @param {Post} post a new version, or another shot of the same
   * @param {string} [id] of the one whose place it takes
   */
  changed(post, id = post.id) {
    this.pacer.change(post, id);
    for (const prepared of this.ahead) {
      if (prepared.turn.post.id !== id) continue;
      this.ahead = this.ahead.filter((other) => other !== prepared);
      if (prepared.turn.fresh) this.pacer.putBack({ post, fresh: true });
    }
    this.layout.change(post, id);
    this.poke();
  }

  /** A removed post is off the screen before anything else happens.
   * @param {string} id
   */
  removed(id) {
    if (this.layout.cut(id)) this.current = null;
    this.forget(id);
  }

  /** A post nobody can vouch for any more: not shown again, and replaced as soon as may be.
   * @param {string} id
   */
  forget(id) {
    this.pacer.drop(id);
    this.ahead = this.ahead.filter(({ turn }) => turn.post.id !== id);
    if (this.current?.id === id) this.current.at = Number.NEGATIVE_INFINITY;
    this.poke();
  }

  /** Paused or out of sight: nothing moves and nothing is decoded.
   * @param {boolean} on
   */
  rest(on) {
    this.resting = on;
    clearTimeout(this.timer);
    this.layout.rest(on);
    if (on) return;
    // Whoever comes back sees the newest within a second.
    if (this.current) this.current.fresh = false;
    this.pacer.turns = 0;
    this.poke();
  }
}
