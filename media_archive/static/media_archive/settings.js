/**
 * What the address of the page asks for: `?dwell=6&captions=short…`. Pure.
 *
 * Unknown or invalid values fall back silently and are listed in `refused`.
 */

/**
 * @typedef {Object} Settings
 * @property {string} layout
 * @property {number} dwell seconds one post stays when nothing waits
 * @property {number} loop how many of the newest posts the idle loop draws from; 0 = off
 * @property {"full" | "short" | "off"} captions
 * @property {boolean} names
 * @property {boolean} join
 * @property {boolean} strip
 * @property {boolean} count
 * @property {boolean} header
 * @property {string | null} accent "#rrggbb"
 * @property {"auto" | "full" | "lite" | "reduced"} motion
 * @property {"on" | "poster"} video
 * @property {string | null} lang
 * @property {number} safe overscan margin in per cent
 * @property {boolean} keys
 */

/** @type {Settings} */
export const DEFAULTS = Object.freeze({
  layout: "spotlight",
  dwell: 8,
  loop: 60,
  captions: "full",
  names: true,
  join: true,
  strip: true,
  count: true,
  header: true,
  accent: null,
  motion: "auto",
  video: "on",
  lang: null,
  safe: 0,
  keys: true,
});

/** @param {string} text @param {number} low @param {number} high */
const number = (text, low, high) => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
};
/** @param {string[]} words */
const oneOf = (...words) => (/** @type {string} */ text) => (words.includes(text) ? text : undefined);
/** @param {string} text */
const onOff = (text) => ({ on: true, off: false })[text];

/** @type {Record<string, (text: string) => unknown>} a reader gives undefined for what it refuses */
const READERS = {
  layout: oneOf("spotlight"),
  dwell: (text) => number(text, 3, 60),
  loop: (text) => (text === "off" ? 0 : number(text, 10, 500)),
  captions: oneOf("full", "short", "off"),
  names: onOff,
  join: onOff,
  strip: onOff,
  count: onOff,
  header: onOff,
  accent: (text) => (/^[0-9a-f]{6}$/i.test(text) ? `#${text}` : undefined),
  motion: oneOf("auto", "full", "lite", "reduced"),
  video: oneOf("on", "poster"),
  lang: (text) => (/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(text) ? text : undefined),
  safe: (text) => number(text, 0, 10),
  keys: onOff,
};

/** @param {string} search the query string of the page
 * @returns {{settings: Settings, refused: string[]}}
 */
export function readSettings(search) {
  /** @type {Record<string, unknown>} */
  const settings = { ...DEFAULTS };
  const refused = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const value = Object.hasOwn(READERS, name) ? READERS[name](text.trim()) : undefined;
    if (value === undefined) refused.push(name);
    else settings[name] = value;
  }
  return { settings: /** @type {Settings} */ (/** @type {unknown} */ (settings)), refused };
}

/** Writing direction of an interface language.
 * @param {string} lang
 */
export function directionOf(lang) {
  return /^(ar|arc|ckb|dv|fa|he|ku-arab|ps|sd|ug|ur|yi)\b/i.test(lang) ? "rtl" : "ltr";
}
