/**
 * The blurred picture behind everything: two layers that fade over each other. The server has
 * blurred it; here it is only stretched.
 */
import { veilFor } from "./picture.js";
import { element } from "./post.js";

const FADE_MS = 1200;
const VEIL_ALONE = 0.35;

export class Backdrop {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.layers = [0, 1].map(() => {
      const layer = element("div", "backdrop-layer");
      const veil = element("div", "veil");
      layer.append(veil);
      host.append(layer);
      return { layer, veil };
    });
    this.host = host;
    this.front = 0;
  }

  /** Fades to the blurred picture; without one to the wall's own colours.
   * @param {HTMLImageElement | null} picture decoded
   * @param {number | null} luma of its brightest parts
   * @param {number} fade 0 … 1 share of the usual time
   */
  show(picture, luma, fade = 1) {
    this.front = 1 - this.front;
    const { layer, veil } = this.layers[this.front];
    layer.replaceChildren(...(picture ? [picture] : []), veil);
    veil.style.setProperty("opacity", picture ? veilFor(luma).toFixed(3) : String(VEIL_ALONE));
    this.host.append(layer); // the last one lies on top
    layer.animate([{ opacity: 0 }, { opacity: 1 }], { duration: FADE_MS * fade, easing: "ease" });
  }

  /** Takes every trace of the current picture away, at once. */
  clear() {
    for (const { layer, veil } of this.layers) {
      for (const animation of layer.getAnimations()) animation.cancel();
      layer.replaceChildren(veil);
    }
  }
}
