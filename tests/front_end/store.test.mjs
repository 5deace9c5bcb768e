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

const shot = (id, minute, cluster, more) => ({ ...at(id, minute), cluster: { id: cluster, more } });

/** As the page takes a frame. */
const take = (store, frame) => {
  const places = store.fold(frame.post, frame.folded);
  return [store.put(frame.post, frame.seq), places];
};

test("another shot takes the place of the face of its cluster", () => {
  const store = new Store();
  store.put(at(1, 9));
  assert.deepEqual(take(store, { seq: 2, post: shot(2, 1, "2", 0) }), ["new", []]);
  assert.deepEqual(take(store, { seq: 3, post: shot(3, 2, "2", 1) }), ["new", ["2"]]);
  assert.deepEqual(store.order, ["1", "3"]);
  assert.equal(store.faceOf(shot(9, 9, "2", 0)), "3");
  assert.equal(store.get("3").cluster.more, 1);
  // One that stands behind it: the same face, and one more.
  assert.deepEqual(take(store, { seq: 4, post: shot(3, 2, "2", 2), folded: "4" }), ["known", []]);
  assert.deepEqual(store.order, ["1", "3"]);
});

test("posts without a cluster fold with nobody", () => {
  const store = new Store();
  for (const id of [1, 2]) assert.deepEqual(take(store, { seq: id, post: { ...at(id, id), cluster: null } }), ["new", []]);
  assert.equal(store.order.length, 2);
  assert.equal(store.faceOf({ ...at(3, 3), cluster: null }), "");
});

test("two clusters become one tile when a shot between them comes", () => {
  const store = new Store();
  take(store, { seq: 1, post: shot(1, 1, "1", 0) });
  take(store, { seq: 2, post: shot(2, 2, "2", 0) });
  const [, places] = take(store, { seq: 3, post: shot(3, 3, "2", 2), folded: "1" });
  assert.deepEqual(places.sort(), ["1", "2"]);
  assert.deepEqual(store.order, ["3"]);
  assert.deepEqual([...store.faces], [["2", "3"]]);
});

test("a post that leaves its cluster leaves the face to the next one", () => {
  const store = new Store();
  take(store, { seq: 1, post: shot(1, 1, "1", 1) });
  take(store, { seq: 2, post: shot(1, 1, "7", 0) });
  assert.equal(store.faceOf(shot(5, 5, "1", 0)), "");
  assert.deepEqual(take(store, { seq: 3, post: shot(2, 0, "1", 0) }), ["new", []]);
  assert.deepEqual(store.order, ["1", "2"]);
});

test("who was removed is nobody's face, and word of before is void", () => {
  const store = new Store();
  take(store, { seq: 1, post: shot(1, 1, "1", 1) });
  store.remove("1", 5);
  assert.equal(store.faces.size, 0);
  assert.ok(store.isVoid(shot(1, 1, "1", 1), 5));
  assert.ok(!store.isVoid(shot(1, 1, "1", 1), 6));
  assert.ok(!store.isVoid(shot(2, 1, "1", 0), 5));
});

test("shots are counted with those that stand behind, people once", () => {
  const store = new Store();
  const by = (post, user) => ({ ...post, author: { name: null, user } });
  store.put(by(shot(1, 1, "1", 11), "ana"));
  store.put(by(at(2, 2), "ana"));
  store.put(by(at(3, 3), "ben"));
  store.put(at(4, 4));
  assert.equal(store.shots, 15);
  assert.equal(store.people, 2);
});

test("after a snapshot another face of a known cluster is not new", () => {
  const store = new Store();
  store.put(shot(1, 1, "1", 0));
  assert.deepEqual(store.replace([shot(2, 2, "1", 1), shot(3, 3, "3", 0)]), { added: ["3"], gone: ["1"] });
  assert.deepEqual([...store.faces].sort(), [["1", "2"], ["3", "3"]]);
});

test("who was let go as the oldest is no face any more", () => {
  const store = new Store(2);
  for (let i = 1; i < 5; i += 1) store.put(shot(i, i, String(i), 0));
  assert.deepEqual([...store.faces.keys()], ["3", "4"]);
});
