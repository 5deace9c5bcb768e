/**
 * The admin's pictures: one that cannot be loaded gives way to what stands in its place.
 */
const GONE = "img.may-go";

/** @param {Element} image */
function give(image) {
  image.closest(".archive-size")?.querySelector(".archive-unseen")?.removeAttribute("hidden");
  image.remove();
}

// "error" does not bubble: it is caught on its way down.
document.addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLImageElement && target.matches(GONE)) give(target);
  },
  true,
);
for (const image of /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll(GONE))) {
  if (image.complete && image.src && !image.naturalWidth) give(image);
}
