/**
 * What moves inside a shown post: the pictures of an album, one after the other, a video, or a
 * picture that moves by itself.
 * Runs only while the post is on screen.
 */
import { decoded, loaded, sizesFor, usable, wholeOf } from "./picture.js";
import { element } from "./post.js";
import { safeAddress } from "./text.js";

/** @typedef {import("./layout-spotlight.js").Slide} Slide */
/** @typedef {import("./layout-spotlight.js").Context} Context */

const MOST_PICTURES = 4;
const SHORTEST_MS = 2500;
const LONGEST_VIDEO_MS = 15000;

export class Reel {
  /** @param {Slide} slide @param {number} dwell ms @param {Context} context */
  constructor(slide, dwell, context) {
    this.slide = slide;
    this.context = context;
    // What is not kept (yet) has no turn.
    const kept = (slide.post.kind === "album" ? slide.post.children || [] : []).filter((child) => usable(child.renditions).length);
    this.children = kept.slice(0, MOST_PICTURES);
    this.step = Math.max(SHORTEST_MS, dwell / Math.max(1, this.children.length));
    this.index = 0;
    this.timer = 0;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    /** @type {HTMLImageElement | null} */
    this.moving = null;
    if (this.children.length > 1) this.#dots();
  }

  start() {
    if (this.children.length > 1) this.#next();
    else if (this.slide.post.video) this.#play();
    else if (this.slide.post.animated) this.#move();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.video?.pause();
    this.#rest();
  }

  #dots() {
    const dots = element("div", "dots");
    dots.setAttribute("aria-hidden", "true");
    dots.append(...this.children.map((_, i) => element("i", i ? "" : "on")));
    this.slide.frame?.append(dots);
  }

  /** Fetches the picture after this one while this one is seen, then fades to it. */
  #next() {
    clearTimeout(this.timer);
    const index = (this.index + 1) % this.children.length;
    const { frame } = this.slide;
    this.timer = window.setTimeout(async () => {
      const timer = this.timer;
      const picture = await decoded(this.children[index], sizesFor(this.slide.ratio));
      if (timer !== this.timer || !frame?.isConnected) return;
      this.index = index;
      if (picture) {
        picture.className = "photo";
        picture.alt = this.children[index].alt || "";
        const shown = /** @type {HTMLElement[]} */ ([...frame.querySelectorAll("img.photo")]);
        for (const under of shown.slice(0, -1)) wholeOf(under).remove();
        const last = shown[shown.length - 1];
        if (last) wholeOf(last).after(wholeOf(picture));
        picture.animate([{ opacity: 0 }, { opacity: 1 }], { duration: this.context.still() ? 200 : 600, easing: "ease" });
      }
      frame.querySelectorAll(".dots i").forEach((dot, i) => dot.classList.toggle("on", i === index));
      this.#next();
    }, this.step);
  }

  /** The still picture stays, with its badge, when motion is unwanted. */
  async #move() {
    const { frame, post } = this.slide;
    if (!frame || this.moving || this.context.still() || this.context.settings.video === "poster") return;
    clearTimeout(this.timer);
    const timer = (this.timer = window.setTimeout(() => this.#rest(), LONGEST_VIDEO_MS));
    const moving = await loaded(post.animated);
    if (!moving || timer !== this.timer || !frame.isConnected) return;
    moving.className = "photo moving";
    moving.alt = "";
    frame.append(moving);
    frame.classList.add("playing");
    this.moving = moving;
  }

  #rest() {
    if (!this.moving) return;
    this.moving.remove();
    this.moving = null;
    this.slide.frame?.classList.remove("playing");
  }

  /** The poster stays, with its badge, when the video will not play or motion is unwanted. */
  #play() {
    const { frame, picture, post } = this.slide;
    const url = safeAddress(post.video, document.baseURI);
    if (!frame || !url || this.context.still() || this.context.settings.video === "poster") return;
    if (!this.video) {
      const video = picture instanceof HTMLVideoElement ? picture : element("video", "photo moving");
      video.muted = true;
      video.loop = true;
      video.playsInline = true;
      video.onplaying = () => frame.classList.add("playing");
      video.onerror = () => {
        if (video !== picture) video.remove();
      };
      if (video !== picture) {
        video.src = url;
        frame.append(video);
      }
      this.video = video;
    }
    this.video.play().catch(() => undefined); // refused by the browser: the poster is there
    this.timer = window.setTimeout(() => this.video?.pause(), LONGEST_VIDEO_MS);
  }
}
