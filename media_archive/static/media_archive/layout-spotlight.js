/**
 * Spotlight: one post large over its own blurred picture, its words beside or below it.
 *
 * A layout offers `prepare` (everything slow: fetch, decode, build), `show` (only moves what is
 * ready), `cut` (a removed post goes at once), `change` and `rest`; the show decides when.
 */
import { Backdrop } from "./backdrop.js";
import { decoded } from "./picture.js";
import { cameraGlyph, element, hasText, playBadge, refreshTimes, wordsOf } from "./post.js";
import { Reel } from "./reel.js";
import { altFor, safeAddress } from "./text.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./settings.js").Settings} Settings */
/**
 * @typedef {Object} Slide
 * @property {Post} post
 * @property {HTMLElement} article
 * @property {HTMLElement | null} frame the box of the picture
 * @property {HTMLImageElement | HTMLVideoElement | null} picture
 * @typedef {Object} Context
 * @property {string} tag
 * @property {Words} words
 * @property {Settings} settings
 * @property {() => boolean} still whether motion is to be reduced
 */

const ENTER = "cubic-bezier(.16,.84,.28,1)";
const WIDE = 1.95;

export class Spotlight {
  /** @param {HTMLElement} stage @param {HTMLElement} background @param {Context} context */
  constructor(stage, background, context) {
    this.stage = stage;
    this.context = context;
    this.backdrop = new Backdrop(background);
    /** @type {Slide | null} */
    this.current = null;
    /** @type {Reel | null} */
    this.reel = null;
  }

  /** Device pixels a photo's width may take. */
  get pixels() {
    const share = innerWidth > innerHeight ? 0.62 : 0.94;
    return innerWidth * share * Math.min(devicePixelRatio || 1, 3);
  }

  /** Everything that takes time. Never fails: what has no picture becomes a card of words.
   * @param {Post} post
   * @returns {Promise<Slide>}
   */
  async prepare(post) {
    // Built first: the avatar is fetched while the picture is.
    const said = wordsOf(post, this.context.words, this.context.settings);
    const wanted = post.kind !== "text";
    const poster = wanted ? await decoded(post.renditions, this.pixels) : null;
    const picture = poster || (wanted ? await firstFrame(post.video) : null);
    const article = element("article", "slide");
    article.dataset.postId = post.id;
    article.dataset.kind = post.kind;
    if (post.color && /^#[0-9a-f]{6}$/i.test(post.color)) {
      article.style.setProperty("--tint", `color-mix(in oklab, ${post.color} 35%, white)`);
    }
    const frame = picture ? this.#frame(post, picture) : null;
    if (frame) article.append(frame);
    else article.classList.add(hasText(post) ? "card" : "tile");
    if (article.classList.contains("tile")) article.append(cameraGlyph());
    article.append(said);
    if (frame) article.classList.toggle("wide", ratioOf(picture) > WIDE);
    return { post, article, frame, picture };
  }

  /** @param {Post} post @param {HTMLImageElement | HTMLVideoElement} picture */
  #frame(post, picture) {
    const frame = element("div", "frame");
    frame.style.setProperty("--ratio", String(ratioOf(picture)));
    picture.classList.add("photo");
    if (picture instanceof HTMLImageElement) picture.alt = altFor(post, this.context.tag);
    else picture.setAttribute("aria-label", altFor(post, this.context.tag));
    frame.append(picture);
    if (post.video && picture instanceof HTMLImageElement) frame.append(playBadge());
    return frame;
  }

  /** Puts a prepared slide on screen.
   * @param {Slide} slide
   * @param {number} dwell ms it is likely to stay; short stays get short movements
   */
  show(slide, dwell) {
    const old = this.current;
    this.reel?.stop();
    for (const stale of [...this.stage.children]) if (stale !== old?.article) stale.remove();
    this.current = slide;
    const still = this.context.still();
    const pace = Math.min(1, (dwell * 0.6) / 700);
    refreshTimes(slide.article, this.context.words);
    this.stage.append(slide.article);
    const words = slide.article.lastElementChild;
    const main = slide.frame ?? slide.article;
    main.animate(
      still
        ? [{ opacity: 0 }, { opacity: 1 }]
        : [{ opacity: 0, transform: "translateY(2.2%) scale(.965)" }, { opacity: 1, transform: "none" }],
      { duration: still ? 200 : 700 * pace, easing: ENTER, fill: "backwards" },
    );
    if (slide.frame && words) {
      const duration = still ? 200 : 610 * pace;
      words.animate([{ opacity: 0 }, { opacity: 1 }], { duration, delay: still ? 0 : 90 * pace, easing: ENTER, fill: "backwards" });
    }
    this.backdrop.show(slide.picture, still ? 0.17 : pace);
    if (old) this.#leave(old, still ? 200 : 380 * pace);
    this.reel = slide.frame ? new Reel(slide, dwell, this.context) : null;
    this.reel?.start();
    requestAnimationFrame(() => requestAnimationFrame(() => this.#painted(slide)));
  }

  /** @param {Slide} old @param {number} duration */
  #leave(old, duration) {
    old.article.setAttribute("aria-hidden", "true");
    old.article
      .animate([{ opacity: 1 }, { opacity: 0 }], { duration, easing: "ease-out", fill: "forwards" })
      .finished.then(
        () => old.article.remove(),
        () => old.article.remove(),
      );
  }

  /** @param {Slide} slide */
  #painted(slide) {
    if (this.current !== slide) return;
    slide.article.dataset.paintedId = slide.post.id;
    const detail = { id: slide.post.id, seq: Number(document.body.dataset.cursor) };
    document.dispatchEvent(new CustomEvent("photowall:painted", { detail }));
  }

  /** A removed post leaves without farewell.
   * @param {string} id
   * @returns {boolean} whether the stage is empty now
   */
  cut(id) {
    for (const article of this.stage.querySelectorAll("article")) {
      if (article.dataset.postId === id) article.remove();
    }
    if (this.current?.post.id !== id) return false;
    this.reel?.stop();
    this.reel = null;
    this.current = null;
    this.backdrop.clear();
    return true;
  }

  /** New words for the post on screen; its picture stays until its next turn.
   * @param {Post} post
   */
  change(post) {
    const slide = this.current;
    if (slide?.post.id !== post.id) return;
    slide.post = post;
    slide.article.lastElementChild?.replaceWith(wordsOf(post, this.context.words, this.context.settings));
  }

  /** Stops or resumes what moves by itself: albums and videos.
   * @param {boolean} on
   */
  rest(on) {
    if (on) this.reel?.stop();
    else this.reel?.start();
  }
}

/** @param {HTMLImageElement | HTMLVideoElement | null} picture */
function ratioOf(picture) {
  if (picture instanceof HTMLVideoElement) return picture.videoWidth / picture.videoHeight || 1;
  return picture ? picture.naturalWidth / picture.naturalHeight || 1 : 1;
}

/** A video that can show its first frame, for posts whose poster is missing or dead.
 * @param {string | null} address
 * @returns {Promise<HTMLVideoElement | null>}
 */
function firstFrame(address) {
  const url = safeAddress(address, document.baseURI);
  if (!url) return Promise.resolve(null);
  const video = element("video");
  video.muted = true;
  video.playsInline = true;
  video.loop = true;
  video.preload = "auto";
  return new Promise((resolve) => {
    setTimeout(resolve, 8000, null);
    video.onloadeddata = () => resolve(video.videoWidth ? video : null);
    video.onerror = () => resolve(null);
    video.src = url;
  });
}
