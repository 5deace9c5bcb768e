/**
 * For those who listen instead of look: one polite sentence about what is new, now and then.
 */
import { altFor, nameOf } from "./text.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./words.js").Words} Words */

const EVERY_MS = 10000;

export class Announcer {
  /** @param {HTMLElement} region a polite live region @param {Words} words @param {string} tag */
  constructor(region, words, tag) {
    this.region = region;
    this.words = words;
    this.tag = tag;
    this.count = 0;
    /** @type {Post | null} */
    this.newest = null;
    this.last = -EVERY_MS;
    this.timer = 0;
  }

  /** @param {Post} post */
  arrived(post) {
    this.count += 1;
    this.newest = post;
    if (this.timer) return;
    const wait = Math.max(0, this.last + EVERY_MS - performance.now());
    this.timer = window.setTimeout(() => this.#say(), wait);
  }

  #say() {
    this.timer = 0;
    this.last = performance.now();
    const post = this.newest;
    if (!post) return;
    const { say } = this.words;
    const name = nameOf(post);
    this.region.textContent = [
      this.count === 1 ? say("news_one") : say("news_many", { n: this.count }),
      name ? say("newest_by", { name }) : "",
      altFor(post, this.tag),
    ].join(" ");
    this.count = 0;
    this.newest = null;
  }
}

const asked = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether motion is to be reduced: the viewer's system or the page's address says so.
 * @param {string} motion the `motion` setting
 */
export function wantsStillness(motion) {
  if (motion === "full") return false;
  return motion !== "auto" || asked.matches;
}
