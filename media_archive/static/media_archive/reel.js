/**
 * What moves inside a shown post: the pictures of an album, one after the other, and a video.
 * Runs only while the post is on screen.
 */
import { decoded } from "./picture.js";
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
    this.children = slide.post.kind === "album" ? (slide.post.children || []).slice(0, MOST_PICTURES) : [];
    this.step = Math.max(SHORTEST_MS, dwell / Math.max(1, this.children.length));
    this.index = 0;
    this.timer = 0;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    if (this.children.length > 1) this.#dots();
  }

  start() {
    if (this.children.length > 1) this.#next();
    else if (this.slide.post.video) this.#play();
  }

  stop() {
    clearTimeout(this.timer);
    this.video?.pause();
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
      const picture = await decoded(this.children[index].renditions, innerWidth);
      if (timer !== this.timer || !frame?.isConnected) return;
      this.index = index;
      if (picture) {
        picture.className = "photo";
        picture.alt = this.children[index].alt || "";
        for (const under of [...frame.querySelectorAll("img.photo")].slice(0, -1)) under.remove();
        frame.querySelector("img.photo")?.after(picture);
        picture.animate([{ opacity: 0 }, { opacity: 1 }], { duration: this.context.still() ? 200 : 600, easing: "ease" });
      }
      frame.querySelectorAll(".dots i").forEach((dot, i) => dot.classList.toggle("on", i === index));
      this.#next();
    }, this.step);
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
