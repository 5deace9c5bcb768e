/**
 * The strip: the newest posts as small squares, newest first. At most four appear per second.
 */
import { colorOf, usable } from "./picture.js";
import { cameraGlyph, element, moreBadge } from "./post.js";
import { before } from "./store.js";
import { initial, nameOf, safeAddress, splitCaption } from "./text.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./words.js").Words} Words */

const THUMBS = 18;
const EVERY_MS = 250;
const MOST_PENDING = 240;
const EASE = "cubic-bezier(.16,.84,.28,1)";

export class Strip {
  /** @param {HTMLElement} list @param {() => boolean} still @param {Words} words */
  constructor(list, still, words) {
    this.list = list;
    this.words = words;
    this.still = still;
    /** @type {Array<{post: Post, item: HTMLElement}>} in the order of the wall */
    this.thumbs = [];
    /** @type {Post[]} */
    this.pending = [];
    this.timer = 0;
    this.resting = false;
  }

  /** The strip as it should be, at once.
   * @param {Post[]} posts newest first
   */
  fill(posts) {
    this.pending = [];
    this.thumbs = posts.slice(0, THUMBS).map((post) => ({ post, item: thumb(post, this.words) }));
    this.#arrange();
    this.list.replaceChildren(...this.thumbs.map(({ item }) => item));
  }

  /** @param {Post} post */
  arrive(post) {
    this.pending.push(post);
    // Older ones would have left the strip again before anybody could see them.
    if (this.pending.length > MOST_PENDING) this.pending.shift();
    this.#schedule(0);
  }

  /** @param {number} delay */
  #schedule(delay) {
    if (this.timer || this.resting) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      const post = this.pending.shift();
      if (post) this.#insert(post);
      if (this.pending.length) this.#schedule(EVERY_MS);
    }, delay || (this.pending.length > 1 ? EVERY_MS : 0));
  }

  /** @param {Post} post */
  #insert(post) {
    this.#take(post.id);
    const found = this.thumbs.findIndex((other) => before(post, other.post));
    const index = found < 0 ? this.thumbs.length : found;
    if (index >= THUMBS) return;
    const item = thumb(post, this.words);
    this.thumbs.splice(index, 0, { post, item });
    while (this.thumbs.length > THUMBS) this.thumbs.pop()?.item.remove();
    this.#arrange();
    this.list.append(item);
    if (!this.still()) item.animate([{ opacity: 0, scale: 0.6 }, { opacity: 1, scale: 1 }], { duration: 450, easing: EASE });
  }

  /** Each thumb knows its number; the style sheet moves it there by `transform`. */
  #arrange() {
    this.thumbs.forEach(({ item }, i) => item.style.setProperty("--i", String(i)));
  }

  /** @param {string} id */
  #take(id) {
    this.thumbs = this.thumbs.filter(({ post, item }) => post.id !== id || void item.remove());
  }

  /** @param {Post} post a new version, or another shot of the same
   * @param {string} [id] of the one whose place it takes
   * @returns {boolean} whether that one had a place here
   */
  change(post, id = post.id) {
    let here = this.pending.some((other) => other.id === id);
    if (id !== post.id && [...this.pending, ...this.thumbs.map((entry) => entry.post)].some((other) => other.id === post.id)) {
      this.remove(id);
      return true;
    }
    this.pending = this.pending.map((other) => (other.id === id ? post : other));
    for (const entry of this.thumbs) {
      if (entry.post.id !== id) continue;
      here = true;
      const item = thumb(post, this.words);
      item.classList.toggle("current", entry.item.classList.contains("current"));
      item.style.setProperty("--i", entry.item.style.getPropertyValue("--i"));
      entry.item.replaceWith(item);
      entry.item = item;
      entry.post = post;
    }
    if (id !== post.id) {
      this.thumbs.sort((a, b) => (before(a.post, b.post) ? -1 : 1));
      this.#arrange();
    }
    return here;
  }

  /** @param {string} id */
  remove(id) {
    this.pending = this.pending.filter((post) => post.id !== id);
    this.#take(id);
    this.#arrange();
  }

  /** Outlines the post that is on the stage.
   * @param {string} id
   */
  mark(id) {
    for (const { post, item } of this.thumbs) item.classList.toggle("current", post.id === id);
  }

  /** @param {boolean} on */
  rest(on) {
    this.resting = on;
    if (on) clearTimeout(this.timer);
    this.timer = 0;
    if (!on && this.pending.length) this.#schedule(0);
  }
}

/** @param {Post} post @param {Words} words */
function thumb(post, words) {
  const item = element("li", "thumb");
  item.dataset.postId = post.id;
  const letter = initial(splitCaption(post.caption).body) || initial(nameOf(post));
  const more = moreBadge(post, words);
  item.append(letter ? element("span", "letter", letter) : cameraGlyph(), ...more);
  const url = safeAddress(post.thumb, document.baseURI) || usable(post.renditions)[0]?.url;
  if (!url) return item;
  const color = colorOf(post.color);
  if (color) item.style.setProperty("background", color);
  const image = new Image();
  image.alt = "";
  image.decoding = "async";
  image.referrerPolicy = "no-referrer";
  image.width = image.height = 168;
  image.src = url;
  image.decode().then(
    () => item.replaceChildren(image, ...more),
    () => item.classList.add("quiet"), // a dead address: the letter stays
  );
  return item;
}
