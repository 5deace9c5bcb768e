/**
 * The browser's own news: the network is back, the tab is seen again, the page comes out of the
 * back-forward cache.
 */

/**
 * @param {{feed?: import("./feed.js").Feed, rest: () => void, down: () => void}} wall
 * @param {() => void} refresh the times on the page
 */
export function mountReturns(wall, refresh) {
  window.addEventListener("online", () => wall.feed?.hurry());
  document.addEventListener("visibilitychange", () => {
    wall.rest();
    if (document.hidden) return;
    wall.feed?.hurry();
    refresh();
  });
  window.addEventListener("pagehide", () => {
    wall.feed?.stop();
    wall.down();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) wall.feed?.start();
  });
}
