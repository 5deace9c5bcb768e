/**
 * What the pill in the header says about the line to the server. Pure.
 */

export const RECONNECTING_AFTER_MS = 4000;
export const OFFLINE_AFTER_MS = 30000;
const MANY = 8;

/**
 * @typedef {Object} Line
 * @property {number | null} downSince ms; null while the server answers
 * @property {boolean} everUp whether the server has answered at all since the page was opened
 * @property {number} catchingUp posts of the replay that have not been seen yet
 * @property {boolean} reloading the snapshot is on its way
 * @property {boolean} paused
 * @property {number} waiting posts not seen yet
 * @property {number} skipped posts counted but not shown in a very large burst
 * @property {boolean} noticed the server says why no new posts come for now
 * @typedef {{state: "live" | "reconnecting" | "offline" | "catching-up", key: string, n: number, paused: boolean, noticed: boolean, quiet: boolean}} Status
 */

/** @param {Line} line @param {number} now ms
 * @returns {Status} state of the line; key of the sentence and its number; quiet = nothing to say yet
 */
export function statusOf(line, now) {
  const status = lineStatus(line, now);
  if (!line.paused) return status;
  return { ...status, key: line.waiting ? "paused_waiting" : "paused", n: line.waiting, paused: true, quiet: false };
}

/** @param {Line} line @param {number} now
 * @returns {Status}
 */
function lineStatus(line, now) {
  const plain = { n: 0, paused: false, noticed: false, quiet: false };
  const down = line.downSince === null ? 0 : now - line.downSince;
  if (down >= OFFLINE_AFTER_MS) return { ...plain, state: "offline", key: "offline" };
  if (down >= RECONNECTING_AFTER_MS) return { ...plain, state: "reconnecting", key: "reconnecting" };
  if (!line.everUp) return { ...plain, state: "reconnecting", key: "reconnecting", quiet: true };
  if (line.catchingUp) return { ...plain, state: "catching-up", key: "catching_up_waiting", n: line.catchingUp };
  if (line.reloading) return { ...plain, state: "catching-up", key: "catching_up" };
  // The line is well, but nothing new is collected: a green Live would promise it.
  if (line.noticed) return { ...plain, state: "live", key: "not_collecting", noticed: true };
  const n = line.waiting + line.skipped;
  if (line.skipped) return { ...plain, state: "live", key: "live_selection", n };
  if (n > MANY) return { ...plain, state: "live", key: "live_waiting", n };
  return { ...plain, state: "live", key: "live" };
}

/** When the status will change by time alone, in ms from now; null when it will not.
 * @param {Line} line @param {number} now
 */
export function nextChange(line, now) {
  if (line.downSince === null) return null;
  const down = now - line.downSince;
  if (down < RECONNECTING_AFTER_MS) return RECONNECTING_AFTER_MS - down;
  if (down < OFFLINE_AFTER_MS) return OFFLINE_AFTER_MS - down;
  return null;
}
