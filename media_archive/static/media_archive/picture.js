/**
 * Pictures from our store: the size that fits is chosen by the browser, fetched and decoded before
 * anything is shown. Until then there is its box, its colour and a tiny version of it.
 */
import { safeAddress } from "./text.js";

/** @typedef {import("./store.js").Rendition} Rendition */
/** @typedef {import("./store.js").Shown} Shown */

const TIMEOUT_MS = 8000;
const WIDE = 1.95;
const COLOR = /^#[0-9a-f]{6}$/i;

/** The usable renditions, smallest first, addresses made whole.
 * @param {Rendition[] | undefined} renditions
 * @param {string} [base]
 * @returns {Rendition[]}
 */
export function usable(renditions, base = document.baseURI) {
  const found = [];
  for (const rendition of renditions || []) {
    const url = safeAddress(rendition?.url, base);
    if (url && rendition.w) found.push({ w: rendition.w, h: rendition.h, url });
  }
  return found.sort((a, b) => (a.w ?? 0) - (b.w ?? 0));
}

/** As `srcset` wants it. A blank or a comma would end an address there.
 * @param {Rendition[]} renditions usable ones
 */
export function srcsetOf(renditions) {
  const plain = (/** @type {string} */ url) => url.replace(/[\s,]/g, encodeURIComponent);
  return renditions.map(({ url, w }) => `${plain(url)} ${w}w`).join(", ");
}

/** How wide a picture of this ratio is on the stage: what `wall.css` says of `.frame`, in the
 * units that `sizes` knows. The server preloads by the same words (`wall_sizes.py`).
 * @param {number} ratio width / height
 */
export function sizesFor(ratio) {
  const of = (/** @type {number} */ share) => (share * ratio).toFixed(3);
  const wide = ratio > WIDE;
  const portrait = "min(1.7778vw, 1vh)";
  const landscape = "min(1vw, 1.7778vh)";
  return [
    `(max-width: 720px) min(100vw - 32px, (100vh - 124px) * ${of(0.58)})`,
    `(orientation: portrait) min(100vw - 4.4 * ${portrait}, (100vh - 16.1 * ${portrait}) * ${of(0.7)})`,
    `min((100vw - 4.4 * ${landscape}) * ${wide ? 0.94 : 0.66}, (100vh - 15.2 * ${landscape}) * ${of(wide ? 0.76 : 0.98)})`,
  ].join(", ");
}

/** Width by height, told by the server; 0 when it did not say.
 * @param {Shown} shown
 */
export const ratioOf = (shown) => (shown.w && shown.h ? shown.w / shown.h : 0);

/** A colour of ours, or nothing.
 * @param {string | null | undefined} color
 */
export const colorOf = (color) => (color && COLOR.test(color) ? color : "");

/** A decoded picture, ready to be painted without a pause; null when it cannot be had.
 * It stands in a `<picture>`: put `wholeOf` it on the page.
 * @param {Shown} shown
 * @param {string} sizes
 * @returns {Promise<HTMLImageElement | null>}
 */
export async function decoded(shown, sizes) {
  const renditions = usable(shown.renditions);
  const jpeg = safeAddress(shown.jpeg, document.baseURI);
  const deadline = performance.now() + TIMEOUT_MS;
  const plain = jpeg || renditions[0]?.url;
  if (!plain) return null;
  const image = imageOf(shown);
  if (renditions.length) {
    const picture = document.createElement("picture");
    const source = document.createElement("source");
    source.type = "image/webp";
    source.sizes = sizes;
    source.srcset = srcsetOf(renditions);
    picture.append(source, image);
  }
  if (await attempt(image, plain, deadline)) return image;
  // One size may be missing where others are there.
  const second = imageOf(shown);
  return performance.now() < deadline && (await attempt(second, plain, deadline)) ? second : null;
}

/** One decoded picture from one address, or null.
 * @param {string | null | undefined} address
 * @returns {Promise<HTMLImageElement | null>}
 */
export async function loaded(address) {
  const url = safeAddress(address, document.baseURI);
  if (!url) return null;
  const image = imageOf({});
  return (await attempt(image, url, performance.now() + TIMEOUT_MS)) ? image : null;
}

/** The tiny version that the post itself brings, or null.
 * @param {Shown} shown
 */
export function placeholderOf(shown) {
  if (!ratioOf(shown) || !/^data:image\/webp;base64,[\w+/=]+$/.test(shown.lqip || "")) return null;
  const image = imageOf(shown);
  image.className = "placeholder";
  image.alt = "";
  image.src = /** @type {string} */ (shown.lqip);
  return image;
}

/** What is put on the page and taken from it for this picture.
 * @param {HTMLElement} image
 * @returns {HTMLElement}
 */
export const wholeOf = (image) => /** @type {HTMLElement} */ (image.closest("picture") ?? image);

/** @param {Partial<Shown>} shown */
function imageOf(shown) {
  const image = new Image();
  image.decoding = "async";
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  if (shown.w && shown.h) {
    image.width = shown.w;
    image.height = shown.h;
  }
  return image;
}

/** @param {HTMLImageElement} image @param {string} url @param {number} deadline */
async function attempt(image, url, deadline) {
  let timer = 0;
  const late = new Promise((resolve) => {
    timer = window.setTimeout(resolve, Math.max(0, deadline - performance.now()), "late");
  });
  image.src = url;
  try {
    if ((await Promise.race([image.decode(), late])) !== "late" && image.naturalWidth) return true;
    image.previousElementSibling?.remove();
    image.src = ""; // stop the download: nobody waits for it any more
  } catch {
    // hidden or purged meanwhile; the caller shows words instead
  } finally {
    clearTimeout(timer);
  }
  return false;
}

/** Veil that keeps every word readable over a white picture. */
const VEIL_UNSEEN = 0.55;
const TARGET = 0.584; // sRGB value of luminance 0.30

/** How dark the veil over a background must be so that its brightest parts reach luminance 0.30.
 * @param {number | null | undefined} luma luminance of those parts, 0 to 1
 */
export function veilFor(luma) {
  if (typeof luma !== "number" || !(luma >= 0 && luma <= 1)) return VEIL_UNSEEN;
  const brightest = luma <= 0.0031308 ? 12.92 * luma : 1.055 * luma ** (1 / 2.4) - 0.055;
  const alpha = brightest <= TARGET ? 0 : (brightest - TARGET) / (brightest - 0.035);
  return Math.min(0.8, Math.max(0.12, alpha));
}

/** @param {HTMLImageElement | HTMLVideoElement | null} picture */
export function naturalRatio(picture) {
  if (picture instanceof HTMLVideoElement) return picture.videoWidth / picture.videoHeight || 1;
  return picture ? picture.naturalWidth / picture.naturalHeight || 1 : 1;
}

/** A video that can show its first frame, for posts whose poster is missing or dead.
 * @param {string | null} address
 * @returns {Promise<HTMLVideoElement | null>}
 */
export function firstFrame(address) {
  const url = safeAddress(address, document.baseURI);
  if (!url) return Promise.resolve(null);
  const video = document.createElement("video");
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
