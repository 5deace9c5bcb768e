/**
 * The start page: keeps its times up to date, hides pictures that cannot be loaded, and says
 * "Listening…" while the server looks for the hashtag.
 */
import { refreshTimes } from "./post.js";
import { wordsIn } from "./words.js";

const words = wordsIn(document.documentElement.lang || "en");
const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form.start"));
const button = form?.querySelector("button");
const label = button?.textContent ?? "";

form?.addEventListener("submit", () => {
  if (!button) return;
  button.textContent = button.dataset.busy ?? label;
  button.setAttribute("aria-busy", "true");
});
// Back from the wall: the page may come out of the browser's cache as it was left.
window.addEventListener("pageshow", () => {
  if (!button) return;
  button.textContent = label;
  button.removeAttribute("aria-busy");
});

for (const image of document.querySelectorAll("img")) {
  const hide = () => (image.style.visibility = "hidden");
  if (image.complete && !image.naturalWidth) hide();
  else image.addEventListener("error", hide, { once: true });
}

for (const figure of document.querySelectorAll("data")) figure.textContent = words.number(Number(figure.value));
refreshTimes(document, words);
setInterval(() => refreshTimes(document, words), 15000);
