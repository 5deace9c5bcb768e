/**
 * Words of a post, made ready for the screen. Pure: touches no DOM and no clock.
 *
 * Captions are what strangers wrote: any script, any length, any mixture. Nothing here makes
 * markup; the results go to `textContent`.
 */

/** @typedef {import("./store.js").Post} Post */

const TAG = "[#\\uFF03][\\p{L}\\p{N}\\p{M}_\\u200c\\u200d]+";
const TRAILING_TAGS = new RegExp(`(?:^|\\s+)${TAG}(?:[\\s\\u00b7.,|]*${TAG})*[\\s.]*$`, "u");
/** Lines of dots people put between their words and their hashtags. */
const SPACER_LINES = /(?:\n[ \t]*[.\u00b7\u2022_*-]+[ \t]*)+$/;
const ONE_TAG = new RegExp(TAG, "gu");
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Caption cut in two: what was said, and the hashtags hung on at its end.
 * @param {string | null | undefined} caption
 * @returns {{body: string, tags: string[]}} tags carry their `#` and appear once each
 */
export function splitCaption(caption) {
  const text = tidy(caption);
  // Only the tail can hold trailing tags; cutting first bounds the work on hostile captions.
  const start = Math.max(0, text.length - 1200);
  const found = TRAILING_TAGS.exec(text.slice(start));
  if (!found) return { body: text, tags: [] };
  const tags = found[0].match(ONE_TAG) || [];
  const body = text.slice(0, start + found.index).trimEnd().replace(SPACER_LINES, "");
  return { body: body.trimEnd(), tags: [...new Set(tags)] };
}

/** Line ends made equal, control characters gone, at most two line breaks in a row.
 * @param {string | null | undefined} text
 */
export function tidy(text) {
  return (text || "")
    .replace(/\r\n?|\u2028|\u2029/g, "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")
    .replace(/[ \t]+\n/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** First `limit` graphemes, an ellipsis where something was cut. Never splits an emoji.
 * @param {string} text
 * @param {number} limit
 */
export function shorten(text, limit) {
  let out = "";
  let count = 0;
  for (const { segment } of segmenter.segment(text.slice(0, limit * 12 + 12))) {
    if (count++ === limit) return `${out.trimEnd()}…`;
    out += segment;
  }
  return out;
}

/** Type size step of a caption: xl, l, m or s for < 40, < 90, < 180 or more graphemes.
 * @param {string} body
 */
export function sizeOf(body) {
  let count = 0;
  for (const _ of segmenter.segment(body.slice(0, 4000))) if (++count >= 180) break;
  return count < 40 ? "xl" : count < 90 ? "l" : count < 180 ? "m" : "s";
}

/** Length as the eye sees it: wide scripts count double. For fitting the tag.
 * @param {string} text
 */
export function visualLength(text) {
  let length = 0;
  for (const { segment } of segmenter.segment(text)) {
    const wide = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]|\p{Extended_Pictographic}/u;
    length += wide.test(segment) ? 1.75 : 1;
  }
  return length;
}

const STRONG = /[\p{L}]/u;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** Direction in which a text reads, by its first letter; "" when it has none.
 * @param {string} text
 * @returns {"ltr" | "rtl" | ""}
 */
export function readingDirection(text) {
  const first = STRONG.exec(text);
  if (!first) return "";
  return RIGHT_TO_LEFT.test(first[0]) ? "rtl" : "ltr";
}

/** First letter of a name for the disc that stands in for a missing avatar; "" if there is none.
 * @param {string | null | undefined} name
 */
export function initial(name) {
  for (const { segment } of segmenter.segment((name || "").trim().slice(0, 40))) {
    if (/[\p{L}\p{N}]/u.test(segment)) return segment.toLocaleUpperCase();
  }
  return "";
}

/** "just now", "25 seconds ago", "3 minutes ago" … in the language of the page.
 * @param {number} then ms since 1970
 * @param {number} now ms since 1970
 * @param {string} lang BCP 47
 * @param {string} justNow words for the first seconds (and for clocks that run ahead)
 */
export function timeAgo(then, now, lang, justNow) {
  const seconds = Math.floor((now - then) / 1000);
  if (seconds < 20) return justNow;
  const format = relativeFormat(lang);
  if (seconds < 60) return format.format(-(seconds - (seconds % 5)), "second");
  for (const [unit, size, next] of UNITS) {
    if (seconds < next) return format.format(-Math.floor(seconds / size), unit);
  }
  return format.format(-Math.floor(seconds / 31557600), "year");
}

/** @type {Array<[Intl.RelativeTimeFormatUnit, number, number]>} unit, its seconds, where the next begins */
const UNITS = [
  ["minute", 60, 3600],
  ["hour", 3600, 86400],
  ["day", 86400, 604800],
  ["week", 604800, 2629800],
  ["month", 2629800, 31557600],
];

/** @type {Map<string, Intl.RelativeTimeFormat>} */
const formats = new Map();

/** @param {string} lang */
function relativeFormat(lang) {
  let format = formats.get(lang);
  if (!format) formats.set(lang, (format = new Intl.RelativeTimeFormat(lang, { numeric: "auto" })));
  return format;
}

/** When the post was made, in ms; the time of archiving stands in where the source gave none.
 * @param {Post} post
 */
export function momentOf(post) {
  const posted = Date.parse(post.posted_at || "");
  if (Number.isFinite(posted)) return posted;
  const archived = Date.parse(post.archived_at || "");
  return Number.isFinite(archived) ? archived : 0;
}

/** The alternative text of a post's picture.
 * @param {Post} post
 * @param {string} wallTag without its `#`
 */
export function altFor(post, wallTag) {
  if (post.alt) return shorten(tidy(post.alt), 300);
  const name = nameOf(post);
  const { body } = splitCaption(post.caption);
  const words = shorten(body.replace(/\s+/g, " "), 100);
  if (name) return words ? `Photo by ${name}: ${words}` : `Photo by ${name}`;
  if (words) return `Photo: ${words}`;
  return `Photo tagged #${wallTag}, ${new Date(momentOf(post)).toISOString().slice(11, 16)}`;
}

/** The name shown for a post's author, or "" when nobody is known.
 * @param {Post} post
 */
export function nameOf(post) {
  return tidy(post.author?.name) || tidy(post.author?.user);
}

/** The address if it is an http(s) one, else null. Nothing else ever becomes a link or a source.
 * @param {unknown} address
 * @param {string} [base]
 */
export function safeAddress(address, base) {
  if (typeof address !== "string" || address.length > 4096) return null;
  try {
    const url = new URL(address, base);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null; // not an address at all
  }
}
