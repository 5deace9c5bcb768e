/**
 * What stands around the stage: status pill, counters, welcome, and the page's own sentences in
 * the language asked for.
 */
import { visualLength } from "./text.js";

/** @typedef {import("./status.js").Status} Status */
/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./settings.js").Settings} Settings */

export class Frame {
  /** @param {HTMLElement} app @param {Words} words @param {Settings} settings @param {string} tag */
  constructor(app, words, settings, tag) {
    this.app = app;
    this.words = words;
    this.pill = /** @type {HTMLElement} */ (app.querySelector(".pill"));
    this.pillText = /** @type {HTMLElement} */ (app.querySelector(".pill span"));
    this.counts = /** @type {HTMLElement} */ (app.querySelector(".counts"));
    app.style.setProperty("--tag-length", String(Math.max(6, visualLength(tag) + 1)));
    if (settings.accent) app.style.setProperty("--accent", settings.accent);
    app.style.setProperty("--safe", String(settings.safe));
    for (const part of /** @type {const} */ (["header", "strip", "join", "count"])) {
      if (!settings[part]) app.classList.add(`no-${part}`);
    }
    if (words.lang.split("-")[0] !== "en") this.#translate();
  }

  /** Puts the sentences of the template into the page's language; `{tag}` stays the element it is. */
  #translate() {
    for (const place of this.app.querySelectorAll("[data-word]")) {
      const [before, after] = this.words.say(/** @type {HTMLElement} */ (place).dataset.word || "").split("{tag}");
      const tag = after === undefined ? null : place.querySelector("bdi");
      place.replaceChildren(before, ...(tag ? [tag, after ?? ""] : []));
    }
    for (const place of this.app.querySelectorAll("[data-word-label]")) {
      place.setAttribute("aria-label", this.words.say(place.getAttribute("data-word-label") || ""));
    }
  }

  /** @param {Status} status */
  status(status) {
    const { state, key, n, paused, noticed, quiet } = status;
    document.body.dataset.state = state;
    this.pill.classList.toggle("quiet", quiet);
    this.pill.dataset.light = paused ? "paused" : noticed ? "noticed" : state;
    const text = this.words.say(key, { n });
    if (this.pillText.textContent !== text) this.pillText.textContent = text;
  }

  /** @param {number} photos @param {number} people 0 = nobody is known by name */
  count(photos, people) {
    const { say, number } = this.words;
    const parts = [];
    if (photos) parts.push([number(photos), say(photos === 1 ? "photo" : "photos")]);
    if (people) parts.push([number(people), say(people === 1 ? "person" : "people")]);
    const nodes = parts.flatMap(([figure, word], i) => {
      const strong = document.createElement("b");
      strong.textContent = figure;
      return [...(i ? ["\u2002·\u2002"] : []), strong, ` ${word}`];
    });
    this.counts.replaceChildren(...nodes);
  }

  /** @param {boolean} empty no post to show: the welcome is seen */
  empty(empty) {
    this.app.classList.toggle("empty", empty);
  }
}
