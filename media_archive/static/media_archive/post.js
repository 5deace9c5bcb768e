/**
 * A post as DOM: who, when, what they said. Built with `createElement` and `textContent` only.
 */
import { initial, momentOf, nameOf, readingDirection, safeAddress, shorten, sizeOf, splitCaption, tidy, timeAgo } from "./text.js";

/** @typedef {import("./store.js").Post} Post */
/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./settings.js").Settings} Settings */

const SVG = "http://www.w3.org/2000/svg";
/** A neutral camera: body, lens, flash. */
const CAMERA = "M7 2h10a5 5 0 0 1 5 5v10a5 5 0 0 1-5 5H7a5 5 0 0 1-5-5V7a5 5 0 0 1 5-5Zm5 5.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Zm5.6-1.9a1 1 0 1 0 0 2 1 1 0 0 0 0-2Z";
/** The disc of `wall.css` without its ring. */
const AVATAR_SIZES = "(max-width: 720px) 46px, (orientation: portrait) calc(4.36 * min(1.7778vw, 1vh)), calc(4.36 * min(1vw, 1.7778vh))";
const PLAY = "M8 5.5v13a1 1 0 0 0 1.5.86l11-6.5a1 1 0 0 0 0-1.72l-11-6.5A1 1 0 0 0 8 5.5Z";

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** @param {string} className @param {string} path @param {boolean} [outline] */
function icon(className, path, outline = false) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("fill", outline ? "none" : "currentColor");
  if (outline) {
    shape.setAttribute("stroke", "currentColor");
    shape.setAttribute("stroke-width", "1.9");
  }
  svg.append(shape);
  return svg;
}

export const playBadge = () => icon("play-badge", PLAY);
export const cameraGlyph = () => icon("glyph", CAMERA, true);

/** The time of a post, kept up to date by `refreshTimes`.
 * @param {Post} post
 * @param {Words} words
 */
export function timeElement(post, words) {
  const time = element("time");
  const moment = new Date(momentOf(post));
  time.dateTime = moment.toISOString();
  time.title = new Intl.DateTimeFormat(words.lang, { dateStyle: "long", timeStyle: "short" }).format(moment);
  refreshTime(time, words);
  return time;
}

/** @param {HTMLTimeElement} time @param {Words} words */
export function refreshTime(time, words) {
  const then = Date.parse(time.dateTime);
  if (!Number.isFinite(then)) return;
  const text = timeAgo(then, Date.now(), words.lang, words.say("just_now"));
  if (time.textContent !== text) time.textContent = text;
  time.classList.toggle("fresh", Date.now() - then < 60000);
}

/** All times below `root`, in one go; called by the page's one timer.
 * @param {ParentNode} root
 * @param {Words} words
 */
export function refreshTimes(root, words) {
  for (const time of root.querySelectorAll("time")) refreshTime(time, words);
}

/** Who and when: avatar, name, handle, time. Without an author: glyph, source, time.
 * @param {Post} post
 * @param {Words} words
 * @param {Settings} settings
 */
function byline(post, words, settings) {
  const line = element("header", "who");
  const name = settings.names ? nameOf(post) : "";
  const meta = element("p", "meta");
  if (!name) {
    line.classList.add("nobody");
    line.append(cameraGlyph());
    if (post.source) meta.append(bdi("source", post.source), dot());
    meta.append(timeElement(post, words));
    line.append(meta);
    return line;
  }
  const names = element("div", "names");
  const title = element("p", "name");
  title.append(linked(bdi("", shorten(name, 60)), post.permalink));
  names.append(title);
  const user = tidy(post.author?.user);
  if (user && user !== name) meta.append(bdi("user", `@${shorten(user, 40)}`), dot());
  meta.append(timeElement(post, words));
  names.append(meta);
  line.append(avatar(post.author, name), names);
  return line;
}

/** @param {Post["author"]} author @param {string} name */
function avatar(author, name) {
  const disc = element("span", "avatar");
  disc.setAttribute("aria-hidden", "true");
  const letter = initial(name);
  disc.append(letter ? element("span", "letter", letter) : cameraGlyph());
  const url = safeAddress(author?.avatar || author?.avatar_small, document.baseURI);
  const small = safeAddress(author?.avatar_small, document.baseURI);
  if (url) {
    const picture = new Image();
    picture.alt = "";
    picture.referrerPolicy = "no-referrer";
    picture.width = picture.height = 192;
    picture.sizes = AVATAR_SIZES;
    if (small && small !== url) picture.srcset = `${small} 96w, ${url} 192w`;
    picture.src = url;
    // The letter stays until the picture can be painted, and for good when it cannot.
    picture.decode().then(
      () => disc.replaceChildren(picture),
      () => undefined,
    );
  }
  return disc;
}

/** @param {HTMLElement} inner @param {string | null} permalink */
function linked(inner, permalink) {
  const url = safeAddress(permalink);
  if (!url) return inner;
  const link = element("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener nofollow ugc";
  link.append(inner);
  return link;
}

/** @param {string} className @param {string} text */
function bdi(className, text) {
  return element("bdi", className, text);
}

const dot = () => element("span", "dot", " · ");

/** Byline, caption and hashtags, and the type size they call for.
 * @param {Post} post
 * @param {Words} words
 * @param {Settings} settings
 */
export function wordsOf(post, words, settings) {
  const block = element("div", "words");
  const split = splitCaption(post.caption);
  const body = settings.captions === "short" ? shorten(split.body, 90) : split.body;
  block.dataset.size = sizeOf(body);
  // The whole block follows the language of what was said: byline and hashtags stay beside it.
  block.dir = readingDirection(body) || readingDirection(nameOf(post)) || document.dir;
  block.append(byline(post, words, settings));
  if (settings.captions === "off") return block;
  if (body) {
    const caption = element("p", "caption", body);
    caption.dir = "auto";
    block.append(caption);
  }
  const tags = split.tags.length || body ? split.tags : (post.tags || []).map((tag) => `#${tag}`);
  if (tags.length) {
    const list = element("p", "hashtags");
    for (const tag of tags.slice(0, 30)) list.append(bdi("", shorten(tag, 60)), " ");
    block.append(list);
  }
  return block;
}

/** How many near-identical shots stand behind a post: a badge, or nothing.
 * @param {Post} post
 * @param {Words} words
 * @returns {HTMLElement[]}
 */
export function moreBadge({ cluster }, words) {
  if (!cluster?.more) return [];
  const badge = element("b", "more");
  const seen = element("span", "", words.plus(cluster.more));
  seen.setAttribute("aria-hidden", "true");
  badge.append(seen, element("span", "unseen", words.say("alike", { n: cluster.more })));
  return [badge];
}

/** Whether there is anything to read in a post.
 * @param {Post} post
 */
export function hasText(post) {
  return Boolean(tidy(post.caption));
}
