/**
 * Pictures: found, fetched and decoded before anything is shown; and blurred once for the
 * background. Addresses come from strangers: http(s) only, sent without referrer.
 */
import { safeAddress } from "./text.js";

/** @typedef {import("./store.js").Rendition} Rendition */

const TIMEOUT_MS = 8000;

/** The usable renditions, smallest first, addresses made whole.
 * @param {Rendition[] | undefined} renditions
 * @returns {Rendition[]}
 */
export function usable(renditions) {
  const found = [];
  for (const rendition of renditions || []) {
    const url = safeAddress(rendition?.url, document.baseURI);
    if (url) found.push({ w: rendition.w, h: rendition.h, url });
  }
  return found.sort((a, b) => (a.w ?? 0) - (b.w ?? 0));
}

/** The smallest rendition at least `pixels` wide, else the largest.
 * @param {Rendition[]} renditions usable ones
 * @param {number} pixels device pixels
 * @returns {Rendition | undefined}
 */
export function fitting(renditions, pixels) {
  return renditions.find((rendition) => (rendition.w ?? 0) >= pixels) ?? renditions[renditions.length - 1];
}

/** A decoded picture, ready to be painted without a pause; null when none of the addresses works.
 * @param {Rendition[] | undefined} candidates
 * @param {number} pixels width wanted, device pixels
 * @returns {Promise<HTMLImageElement | null>}
 */
export async function decoded(candidates, pixels) {
  const renditions = usable(candidates);
  const first = fitting(renditions, pixels);
  if (!first) return null;
  const deadline = performance.now() + TIMEOUT_MS;
  const second = renditions[renditions.length - 1] === first ? renditions[0] : renditions[renditions.length - 1];
  return (
    (await attempt(first, deadline)) ||
    (second !== first && performance.now() < deadline ? attempt(second, deadline) : null)
  );
}

/** @param {Rendition} rendition @param {number} deadline @returns {Promise<HTMLImageElement | null>} */
async function attempt(rendition, deadline) {
  const image = new Image();
  image.decoding = "async";
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  if (rendition.w && rendition.h) {
    image.width = rendition.w;
    image.height = rendition.h;
  }
  let timer = 0;
  const late = new Promise((resolve) => {
    timer = window.setTimeout(resolve, Math.max(0, deadline - performance.now()), "late");
  });
  image.src = rendition.url;
  try {
    if ((await Promise.race([image.decode(), late])) !== "late" && image.naturalWidth) return image;
    image.src = ""; // stop the download: nobody waits for it any more
  } catch {
    // a dead or unreadable address; the caller shows words instead
  } finally {
    clearTimeout(timer);
  }
  return null;
}

const SMALL = 10;
const LARGE = 160;
/** @type {HTMLCanvasElement[]} */
const scratch = [];

/** Paints a blurred version of the picture into `target`, in steps of halving and doubling: each
 * doubling rounds the corners off, and a few of them make a smooth picture. The canvas may be
 * tainted by the picture's origin; it is only ever displayed.
 * @param {CanvasImageSource & {naturalWidth: number, naturalHeight: number}} image
 * @param {HTMLCanvasElement} target
 */
export function blur(image, target) {
  const ratio = Math.min(Math.max(image.naturalWidth / image.naturalHeight, 0.4), 2.5);
  const size = (/** @type {number} */ length) =>
    ratio > 1
      ? [Math.round(length * ratio), Math.round(length)]
      : [Math.round(length), Math.round(length / ratio)];
  /** @type {CanvasImageSource} */
  let from = image;
  let step = 0;
  for (let length = LARGE; length > SMALL; length /= 2) from = draw(from, scratchAt(step++), size(length));
  for (let length = SMALL; length < LARGE; length *= 2) from = draw(from, scratchAt(step++), size(length));
  draw(from, target, size(LARGE));
}

/** @param {number} index */
function scratchAt(index) {
  return (scratch[index] ??= document.createElement("canvas"));
}

/** @param {CanvasImageSource} from @param {HTMLCanvasElement} to @param {number[]} size */
function draw(from, to, [width, height]) {
  to.width = width;
  to.height = height;
  const context = to.getContext("2d", { alpha: false });
  if (!context) return from;
  context.imageSmoothingQuality = "high";
  context.drawImage(from, 0, 0, width, height);
  return to;
}

/** Veil that keeps every word readable over a white picture. */
const VEIL_UNSEEN = 0.55;

/** How dark the veil over a background must be so that its brightest parts reach luminance 0.30.
 * Measured where the browser lets us read the pixels; else as for a white picture.
 * @param {HTMLCanvasElement} canvas
 */
export function veilFor(canvas) {
  const target = 0.584; // sRGB value of luminance 0.30
  let brightest;
  try {
    const context = canvas.getContext("2d", { alpha: false });
    const { data } = /** @type {CanvasRenderingContext2D} */ (context).getImageData(0, 0, canvas.width, canvas.height);
    const histogram = new Uint32Array(256);
    for (let i = 0; i < data.length; i += 4) {
      histogram[Math.round(0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2])] += 1;
    }
    let left = data.length / 4 / 200;
    let level = 255;
    while (level > 0 && (left -= histogram[level]) > 0) level -= 1;
    brightest = level / 255;
  } catch {
    return VEIL_UNSEEN; // tainted by another origin: the pixels are not ours to read
  }
  const alpha = brightest <= target ? 0 : (brightest - target) / (brightest - 0.035);
  return Math.min(0.8, Math.max(0.12, alpha));
}
