/**
 * The blurred picture behind everything: two layers that fade over each other.
 */
import { blur, veilFor } from "./picture.js";
import { element } from "./post.js";

const FADE_MS = 1200;

export class Backdrop {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.layers = [0, 1].map(() => {
      const layer = element("div", "backdrop-layer");
      const canvas = element("canvas");
      const veil = element("div", "veil");
      layer.append(canvas, veil);
      host.append(layer);
      return { layer, canvas, veil };
    });
    this.host = host;
    this.front = 0;
  }

  /** Fades to the blurred picture; without one to the wall's own colours.
   * @param {any} image a decoded picture or video frame, or null
   * @param {number} fade 0 … 1 share of the usual time
   */
  show(image, fade = 1) {
    this.front = 1 - this.front;
    const { layer, canvas, veil } = this.layers[this.front];
    canvas.hidden = !image;
    if (image) {
      blur(image, canvas);
      veil.style.setProperty("opacity", veilFor(canvas).toFixed(3));
    } else {
      veil.style.setProperty("opacity", "0.35");
    }
    this.host.append(layer); // the last one lies on top
    layer.animate([{ opacity: 0 }, { opacity: 1 }], { duration: FADE_MS * fade, easing: "ease" });
  }

  /** Takes every trace of the current picture away, at once. */
  clear() {
    for (const { layer, canvas } of this.layers) {
      for (const animation of layer.getAnimations()) animation.cancel();
      canvas.hidden = true;
      canvas.width = canvas.height = 1;
    }
  }
}
