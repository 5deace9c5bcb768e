/**
 * Why no photos come for now, in the server's words: a sentence on a wall without photos, and on
 * every wall the end of its Live.
 *
 * Following a hashtag may fail, or be mended, after the page was opened, and nothing is told of that
 * on the line. So the page looks again: about every two minutes, and while the welcome is seen soon
 * at first, then ever more rarely.
 */

const SOON_MS = 8000;
const RARELY_MS = 5 * 60 * 1000;
/** By chance up to half as much more: many walls that were opened together do not ask together. */
const WITH_PHOTOS_MS = 80 * 1000;

export class Notice {
  /**
   * @param {HTMLElement} app @param {string} url the notice's
   * @param {() => void} changed told when there is another sentence, or none any more
   * @param {{fetch?: any, setTimeout?: any}} [world] handed in by tests
   */
  constructor(app, url, changed, world = {}) {
    this.app = app;
    this.url = url;
    this.changed = changed;
    this.place = /** @type {HTMLElement} */ (app.querySelector(".wall-notice"));
    this.fetch = world.fetch ?? ((/** @type {any[]} */ ...args) => globalThis.fetch(args[0], args[1]));
    this.setTimeout = world.setTimeout ?? ((/** @type {any} */ f, /** @type {number} */ ms) => globalThis.setTimeout(f, ms));
    this.wait = SOON_MS;
    this.running = false;
    this.said = false;
  }

  /** @param {unknown} text a sentence; anything else = nothing to say */
  say(text) {
    const sentence = typeof text === "string" ? text : "";
    if (this.place.textContent !== sentence) this.place.textContent = sentence;
    this.said = sentence !== "";
    this.app.classList.toggle("noticed", this.said);
  }

  /** Looks again from time to time. @param {boolean} empty the welcome is seen: somebody waits */
  look(empty) {
    this.empty = empty;
    if (this.running) return;
    this.running = true;
    this.setTimeout(() => this.#look(), empty ? this.wait : WITH_PHOTOS_MS * (1 + Math.random() / 2));
  }

  async #look() {
    this.running = false;
    if (this.empty) this.wait = Math.min(RARELY_MS, this.wait * 2);
    try {
      const answer = await this.fetch(this.url, { cache: "no-store" });
      if (answer.ok) {
        this.say((await answer.json()).notice);
        this.changed();
      }
    } catch {
      // The line is down; the status says so already.
    }
    this.look(Boolean(this.empty));
  }
}
