/**
 * The sentence on a wall without photos, when none will come for now: why, in the server's words.
 *
 * Following a hashtag may fail, or be mended, after the page was opened, and nothing is told of that
 * on the line. So while the welcome is seen, the page looks again: soon at first, then ever more rarely.
 */

const SOON_MS = 8000;
const RARELY_MS = 5 * 60 * 1000;

export class Notice {
  /**
   * @param {HTMLElement} app @param {string} url the snapshot's
   * @param {{fetch?: any, setTimeout?: any}} [world] handed in by tests
   */
  constructor(app, url, world = {}) {
    this.app = app;
    this.url = url;
    this.place = /** @type {HTMLElement} */ (app.querySelector(".wall-notice"));
    this.fetch = world.fetch ?? ((/** @type {any[]} */ ...args) => globalThis.fetch(args[0], args[1]));
    this.setTimeout = world.setTimeout ?? ((/** @type {any} */ f, /** @type {number} */ ms) => globalThis.setTimeout(f, ms));
    this.wait = SOON_MS;
    this.running = false;
  }

  /** @param {unknown} text a sentence; anything else = nothing to say */
  say(text) {
    const sentence = typeof text === "string" ? text : "";
    if (this.place.textContent !== sentence) this.place.textContent = sentence;
    this.app.classList.toggle("noticed", sentence !== "");
  }

  /** @param {boolean} empty the welcome is seen: looks again from time to time, until it is not */
  empty(empty) {
    this.needed = empty;
    if (!empty || this.running) return;
    this.running = true;
    this.setTimeout(() => this.#look(), this.wait);
  }

  async #look() {
    this.running = false;
    if (!this.needed) return;
    this.wait = Math.min(RARELY_MS, this.wait * 2);
    try {
      const answer = await this.fetch(this.url, { cache: "no-store" });
      if (answer.ok) this.say((await answer.json()).notice);
    } catch {
      // The line is down; the status says so already.
    }
    this.empty(Boolean(this.needed));
  }
}
