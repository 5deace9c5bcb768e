/**
 * Spotlight: one post large over its own blurred picture, its words beside or below it.
 *
 * A layout offers `prepare` (everything slow: fetch, decode, build), `show` (only moves what is
 * ready), `cut` (a removed post goes at once), `change` and `rest`; the show decides when.
 */
import { Backdrop } from "./backdrop.js";
import { colorOf, decoded, firstFrame, loaded, naturalRatio, placeholderOf, ratioOf, sizesFor, wholeOf } from "./picture.js";
import { cameraGlyph, element, hasText, moreBadge, playBadge, refreshTimes, wordsOf } from "./post.js";
import { Reel } from "./reel.js";
import { altFor } from "./text.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./settings.js").Settings} Settings */
/**
 * @typedef {Object} Slide
 * @property {Post} post
 * @property {HTMLElement} article
 * @property {HTMLElement | null} frame the box of the picture
 * @property {HTMLImageElement | HTMLVideoElement | null} picture
 * @property {HTMLImageElement | null} background the blurred picture
 * @property {number} ratio of the box
 * @typedef {Object} Context
 * @property {string} tag
 * @property {Words} words
 * @property {Settings} settings
 * @property {() => boolean} still whether motion is to be reduced
 */

const ENTER = "cubic-bezier(.16,.84,.28,1)";
const WIDE = 1.95;
/** An empty stage waits no longer than this for a picture: its box and a tiny version come first. */
const PATIENT_MS = 400;

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

  /** Everything that takes time. Never fails: what has no picture becomes a card of words.
   * @param {Post} post
   * @returns {Promise<Slide>}
   */
  async prepare(post) {
    // Built first: the avatar is fetched while the picture is.
    const said = wordsOf(post, this.context.words, this.context.settings);
    const wanted = post.kind !== "text";
    const coming = wanted ? decoded(post, sizesFor(ratioOf(post) || 1)) : Promise.resolve(null);
    const background = wanted ? loaded(post.bg) : Promise.resolve(null);
    const placeholder = wanted && !this.current ? placeholderOf(post) : null;
    const early = placeholder ? await Promise.race([coming, wait(PATIENT_MS)]) : await coming;
    const picture = early || (wanted && early === null ? await firstFrame(post.video) : null);
    const shown = picture || (early === undefined ? placeholder : null);
    const article = element("article", "slide");
    article.dataset.postId = post.id;
    article.dataset.kind = post.kind;
    const tint = colorOf(post.tint);
    if (tint) article.style.setProperty("--tint", tint);
    const ratio = ratioOf(post) || naturalRatio(shown);
    const frame = shown ? this.#frame(post, shown, ratio) : null;
    if (frame) article.append(frame);
    else bare(article, post);
    article.append(said);
    if (frame) article.classList.toggle("wide", ratio > WIDE);
    const patient = early === undefined ? [wait(PATIENT_MS)] : [];
    const behind = (await Promise.race([background, ...patient])) ?? null;
    const slide = { post, article, frame, picture, background: behind, ratio };
    if (shown && !picture) coming.then((late) => this.#late(slide, late));
    return slide;
  }

  /** @param {Post} post @param {HTMLImageElement | HTMLVideoElement} picture @param {number} ratio */
  #frame(post, picture, ratio) {
    const frame = element("div", "frame");
    frame.style.setProperty("--ratio", String(ratio));
    const color = colorOf(post.color);
    if (color) frame.style.setProperty("background-color", color);
    if (!picture.classList.contains("placeholder")) this.#name(post, picture);
    frame.append(wholeOf(picture));
    if ((post.video || post.animated) && picture instanceof HTMLImageElement) frame.append(playBadge());
    this.#stack(frame, post);
    return frame;
  }

  /** @param {Post} post @param {HTMLImageElement | HTMLVideoElement} picture */
  #name(post, picture) {
    picture.classList.add("photo");
    if (picture instanceof HTMLImageElement) picture.alt = altFor(post, this.context.tag);
    else picture.setAttribute("aria-label", altFor(post, this.context.tag));
  }

  /** The picture of a slide that began with its tiny version; or the words alone, if none comes.
   * @param {Slide} slide @param {HTMLImageElement | null} picture
   */
  #late(slide, picture) {
    const { frame, post, article } = slide;
    if (!frame) return;
    if (picture) {
      this.#name(post, picture);
      slide.picture = picture;
      const under = frame.querySelector(".placeholder");
      under?.after(wholeOf(picture));
      picture.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 200 }).onfinish = () => under?.remove();
      return;
    }
    frame.remove();
    slide.frame = null;
    article.classList.remove("wide");
    bare(article, post);
    if (this.current === slide) this.reel?.stop();
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
    this.backdrop.show(slide.background, slide.post.luma, still ? 0.17 : pace);
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

  /** New words for the post on screen; its picture stays until its next turn. Of another shot of
   * the same only the number is taken.
   * @param {Post} post
   * @param {string} id of the one whose place it takes
   */
  change(post, id) {
    const slide = this.current;
    if (!slide) return;
    const { cluster } = slide.post;
    if (slide.post.id === post.id) {
      slide.post = post;
      slide.article.lastElementChild?.replaceWith(wordsOf(post, this.context.words, this.context.settings));
    } else if (slide.post.id === id || (cluster && cluster.id === post.cluster?.id)) {
      slide.post = { ...slide.post, cluster: post.cluster };
    } else return;
    if (slide.frame) this.#stack(slide.frame, slide.post);
  }

  /** How many stand behind the one that is seen, as a number and as the edges of a stack.
   * @param {HTMLElement} frame @param {Post} post
   */
  #stack(frame, post) {
    frame.querySelector(".more")?.remove();
    const badge = moreBadge(post, this.context.words);
    frame.append(...badge);
    frame.classList.toggle("stack", badge.length > 0);
  }

  /** Stops or resumes what moves by itself: albums and videos.
   * @param {boolean} on
   */
  rest(on) {
    if (on) this.reel?.stop();
    else this.reel?.start();
  }
}

/** Words, or a glyph, where there is no picture.
 * @param {HTMLElement} article @param {Post} post
 */
function bare(article, post) {
  article.classList.add(hasText(post) ? "card" : "tile");
  if (article.classList.contains("tile")) article.prepend(cameraGlyph());
}

/** @param {number} ms @returns {Promise<undefined>} */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms, undefined));
