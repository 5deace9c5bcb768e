import assert from "node:assert/strict";
import { test } from "node:test";
import { load, post } from "./load.mjs";

const { Store, before } = await load("store.js");
const at = (id, minute) => post(id, { posted_at: `2026-11-20T21:${String(minute).padStart(2, "0")}:00.000Z` });

test("newest first, by time and then by id", () => {
  const store = new Store();
  for (const one of [at(9, 1), at(10, 1), at(3, 5), at(4, 0)]) store.put(one);
  assert.deepEqual(store.order, ["3", "10", "9", "4"]);
  store.put(at(4, 9));
  assert.deepEqual(store.order, ["4", "3", "10", "9"]);
});

test("without a time of posting the time of archiving counts", () => {
  assert.ok(before(post(1, { posted_at: null, archived_at: "2026-11-21T00:00:00.000Z" }), at(2, 1)));
});

test("a late `added` of a removed post is ignored, a newer one is not", () => {
  const store = new Store();
  store.put(at(1, 1), 5);
  assert.equal(store.remove("1", 8), true);
  assert.equal(store.put(at(1, 1), 7), "ignored");
  assert.equal(store.get("1"), undefined);
  assert.equal(store.put(at(1, 1), 9), "new");
  assert.equal(store.remove("unknown", 9), false);
});

test("bounded: the oldest go", () => {
  const store = new Store(3);
  for (let i = 0; i < 50; i += 1) store.put(at(i, i));
  assert.deepEqual(store.order, ["49", "48", "47"]);
  assert.equal(store.posts.size, 3);
  store.put(at(1000, 0));
  assert.deepEqual(store.order, ["49", "48", "47"]);
});

test("a snapshot replaces everything and says what came and went", () => {
  const store = new Store();
  store.put(at(1, 1));
  store.put(at(2, 2));
  assert.deepEqual(store.replace([at(2, 2), at(3, 3)]), { added: ["3"], gone: ["1"] });
  assert.deepEqual(store.order, ["3", "2"]);
});
