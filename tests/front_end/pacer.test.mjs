import assert from "node:assert/strict";
import { test } from "node:test";
import { load, post } from "./load.mjs";

const { Pacer } = await load("pacer.js");
const posts = (n, more = () => ({})) => Array.from({ length: n }, (_, i) => post(i, more(i)));

/** Plays until nothing waits; what was shown, and after how many ms. */
function play(pacer) {
  const shown = [];
  let clock = 0;
  while (pacer.waiting) {
    const turn = pacer.take([]);
    pacer.shown(turn.post.id);
    shown.push(turn.post.id);
    if (pacer.waiting) clock += pacer.dwellMs();
  }
  return { shown, clock };
}

test("200 posts in one second: all shown within 120 s, none twice", () => {
  const pacer = new Pacer();
  for (const one of posts(200)) pacer.arrive(one);
  const { shown, clock } = play(pacer);
  assert.equal(shown.length, 200);
  assert.equal(new Set(shown).size, 200);
  assert.ok(clock <= 120_000, `${clock} ms`);
});

test("up to eight waiting: shorter stays, never under four seconds", () => {
  const pacer = new Pacer({ dwell: 8 });
  assert.equal(pacer.dwellMs(), 8000);
  const seconds = posts(8).map((one) => (pacer.arrive(one), pacer.dwellMs() / 1000));
  assert.deepEqual(seconds, [7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4]);
  const quick = new Pacer({ dwell: 3 });
  quick.arrive(post(1));
  assert.equal(quick.dwellMs(), 3000);
});

test("a few waiting: newest and oldest in turn; pinned before all", () => {
  const pacer = new Pacer();
  for (const one of posts(6)) pacer.arrive(one);
  assert.deepEqual(play(pacer).shown, ["5", "0", "4", "1", "3", "2"]);
  for (const one of posts(4, (i) => ({ pinned: i === 2 }))) pacer.arrive(one);
  assert.equal(pacer.take([]).post.id, "2");
});

test("in a burst neither end starves", () => {
  const pacer = new Pacer();
  for (const one of posts(40)) pacer.arrive(one);
  const first = play(pacer).shown.slice(0, 12);
  assert.deepEqual(first, ["39", "0", "1", "2", "38", "3", "4", "5", "37", "6", "7", "8"]);
});

test("what is taken but not painted still waits, and can be put back", () => {
  const pacer = new Pacer();
  pacer.arrive(post(1));
  const turn = pacer.take([]);
  assert.equal(pacer.waiting, 1);
  pacer.putBack(turn);
  assert.deepEqual(pacer.take([]).post.id, "1");
  pacer.drop("1");
  assert.equal(pacer.waiting, 0);
});

test("a removed post is in no queue and no history", () => {
  const pacer = new Pacer();
  for (const one of posts(5)) pacer.arrive(one);
  pacer.drop("3");
  const { shown } = play(pacer);
  assert.deepEqual(shown.toSorted?.() ?? [...shown].sort(), ["0", "1", "2", "4"]);
  pacer.drop("4");
  assert.ok(!pacer.shownLately.includes("4"));
});

test("a new version replaces the waiting one", () => {
  const pacer = new Pacer();
  pacer.arrive(post(1, { caption: "old" }));
  pacer.arrive(post(1, { caption: "new" }));
  assert.equal(pacer.waiting, 1);
  assert.equal(pacer.take([]).post.caption, "new");
});

test("idle loop: opens with the newest, never one of the last ten, newer ones more often", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const pacer = new Pacer({ random });
  const loop = posts(60);
  const shown = [];
  for (let i = 0; i < 2000; i += 1) {
    const turn = pacer.take(loop);
    assert.equal(turn.fresh, false);
    assert.ok(!shown.slice(-10).includes(turn.post.id));
    pacer.shown(turn.post.id);
    shown.push(turn.post.id);
  }
  assert.equal(shown[0], "0");
  const newer = shown.filter((id) => Number(id) < 30).length;
  assert.ok(newer > 1200, `${newer} of 2000 from the newer half`);
});

test("idle loop: pinned posts come every tenth slot, few posts are no trouble", () => {
  const pacer = new Pacer();
  const loop = posts(40, (i) => ({ pinned: i === 39 }));
  const shown = [];
  for (let i = 0; i < 101; i += 1) {
    const { post: one } = pacer.take(loop);
    pacer.shown(one.id);
    shown.push(one.id);
  }
  assert.ok(shown.filter((id) => id === "39").length >= 9);
  assert.equal(new Pacer().take([]), null);
  const single = new Pacer();
  for (let i = 0; i < 5; i += 1) {
    assert.equal(single.take([post(1)]).post.id, "1");
    single.shown("1");
  }
});

test("above 600 waiting: two per author and every k-th of the unknown; all are counted", () => {
  const pacer = new Pacer();
  const author = (i) => ({ author: i % 2 ? { name: null, user: "loud", avatar: null } : null });
  for (const one of posts(1500, author)) pacer.arrive(one);
  assert.equal(pacer.waiting + pacer.skipped, 1500);
  assert.ok(pacer.waiting <= 600);
  const { shown } = play(pacer);
  // The newest two at every selection, and those that came after the last one.
  assert.ok(shown.filter((id) => Number(id) % 2).length < 120);
  assert.ok(shown.some((id) => Number(id) < 300) && shown.some((id) => Number(id) > 1200));
  assert.equal(pacer.skipped, 0);
});

test("another shot of the same waits in the place of the first, once", () => {
  const pacer = new Pacer();
  for (const id of [1, 2, 3]) pacer.arrive(post(id));
  pacer.change(post(9), "2");
  assert.deepEqual(pacer.queue.map(({ id }) => id), ["1", "9", "3"]);
  pacer.change(post(9), "3"); // two that wait become one
  assert.deepEqual(pacer.queue.map(({ id }) => id), ["1", "9"]);
  const turn = pacer.take([]);
  pacer.change(post(8), turn.post.id);
  assert.ok(pacer.has("8"));
  pacer.putBack({ post: post(8), fresh: true });
  assert.deepEqual(pacer.queue.map(({ id }) => id), ["8", "1"]);
});

test("a shot whose like was shown lately is not shown again at once", () => {
  const pacer = new Pacer({ random: () => 0 });
  pacer.shown("1");
  pacer.change(post(2), "1");
  assert.equal(pacer.take([post(2), post(3)]).post.id, "3");
  assert.equal(pacer.waiting, 0);
});
