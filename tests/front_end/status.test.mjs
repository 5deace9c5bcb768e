import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { nextChange, statusOf } = await load("status.js");
const up = { downSince: null, everUp: true, catchingUp: 0, reloading: false, paused: false, waiting: 0, skipped: 0, noticed: false };
const said = (line, now = 0) => {
  const { state, key, n } = statusOf({ ...up, ...line }, now);
  return [state, key, n];
};

test("a short break is not mentioned; then amber, then red", () => {
  const line = { downSince: 1000 };
  assert.deepEqual(said(line, 4999), ["live", "live", 0]);
  assert.deepEqual(said(line, 5000), ["reconnecting", "reconnecting", 0]);
  assert.deepEqual(said(line, 30999), ["reconnecting", "reconnecting", 0]);
  assert.deepEqual(said(line, 31000), ["offline", "offline", 0]);
  assert.deepEqual([1000, 5000, 31000].map((now) => nextChange({ ...up, ...line }, now)), [4000, 26000, null]);
});

test("nothing is claimed before the server has answered", () => {
  assert.equal(statusOf({ ...up, downSince: 0, everUp: false }, 100).quiet, true);
  assert.equal(statusOf({ ...up, downSince: 0, everUp: false }, 4000).quiet, false);
});

test("catching up, a burst, a selection, a pause", () => {
  assert.deepEqual(said({ catchingUp: 23, waiting: 30 }), ["catching-up", "catching_up_waiting", 23]);
  assert.deepEqual(said({ reloading: true }), ["catching-up", "catching_up", 0]);
  assert.deepEqual(said({ waiting: 8 }), ["live", "live", 0]);
  assert.deepEqual(said({ waiting: 200 }), ["live", "live_waiting", 200]);
  assert.deepEqual(said({ waiting: 500, skipped: 300 }), ["live", "live_selection", 800]);
  assert.deepEqual(said({ waiting: 12, paused: true }), ["live", "paused_waiting", 12]);
});

test("a wall that collects nothing claims no Live, and the line's own trouble comes first", () => {
  const noticed = (line, now) => statusOf({ ...up, ...line }, now).noticed;
  assert.deepEqual([noticed({}), noticed({ noticed: true })], [false, true]);
  assert.deepEqual(said({ noticed: true }), ["live", "not_collecting", 0]);
  assert.deepEqual(said({ noticed: true, waiting: 200, skipped: 9 }), ["live", "not_collecting", 0]);
  assert.deepEqual(said({ noticed: true, downSince: 0 }, 5000), ["reconnecting", "reconnecting", 0]);
  assert.deepEqual(said({ noticed: true, paused: true }), ["live", "paused", 0]);
});
