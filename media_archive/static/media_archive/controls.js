/**
 * What a viewer can do: pause (always reachable by keyboard), full screen, copy the tag, share.
 * Controls and cursor hide after three idle seconds.
 */

/** @typedef {import("./words.js").Words} Words */

const IDLE_MS = 3000;

/**
 * @param {HTMLElement} app
 * @param {{tag: string, words: Words, keys: boolean, pause: (on: boolean) => void}} wall
 */
export function mountControls(app, { tag, words, keys, pause }) {
  const pauseButton = button(app, ".control-pause");
  const fullButton = button(app, ".control-full");
  let paused = false;
  let idle = 0;

  const awake = () => {
    app.classList.add("awake");
    clearTimeout(idle);
    idle = window.setTimeout(() => app.classList.remove("awake"), IDLE_MS);
  };
  const toggle = () => {
    paused = !paused;
    app.classList.toggle("paused", paused);
    pauseButton?.setAttribute("aria-label", words.say(paused ? "play" : "pause"));
    pause(paused);
  };
  const full = () => {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen?.();
    change?.catch(() => undefined); // refused by the browser: nothing changes
  };

  for (const event of ["pointermove", "pointerdown", "focusin"]) {
    document.addEventListener(event, awake, { passive: true });
  }
  pauseButton?.addEventListener("click", toggle);
  if (fullButton) {
    fullButton.hidden = !document.fullscreenEnabled;
    fullButton.addEventListener("click", full);
  }
  document.addEventListener("keydown", (event) => {
    if (!keys || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("a, button, input, textarea, select")) return;
    if (event.key === " ") toggle();
    else if (event.key === "f" || event.key === "F") full();
    else return;
    event.preventDefault();
    awake();
  });

  const copy = button(app, ".copy-tag");
  copy?.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(`#${tag}`);
    } catch {
      return; // no permission or not a secure page: the tag stands there in large letters
    }
    const label = copy.textContent;
    copy.textContent = words.say("copied");
    setTimeout(() => (copy.textContent = label), 2000);
  });
  const share = button(app, ".share-wall");
  if (share) {
    share.hidden = !navigator.share;
    share.addEventListener("click", () => {
      navigator.share({ title: `#${tag}`, url: location.href }).catch(() => undefined); // closed by the viewer
    });
  }
}

/** @param {HTMLElement} app @param {string} selector @returns {HTMLButtonElement | null} */
function button(app, selector) {
  return app.querySelector(selector);
}
