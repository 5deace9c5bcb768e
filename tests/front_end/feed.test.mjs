import assert from "node:assert/strict";
import { test } from "node:test";
import { load, post } from "./load.mjs";

const { Feed } = await load("feed.js");

/** A page's surroundings under our control: clock, chance, sockets, snapshot. */
function world({ snapshot = null } = {}) {
  let now = 0;
  let next = 1;
  const timers = new Map();
  const sockets = [];
  const heard = [];
  class Socket {
    constructor(url) {
      this.url = url;
      this.readyState = 1;
      this.sent = [];
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
    }
    say(message) {
      this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
    }
    drop() {
      this.readyState = 3;
      this.onclose?.({ code: 1006 });
    }
  }
  const asked = [];
  const feed = new Feed(
    { socket: "ws://x/ws/wall/t/", snapshot: "/wall/t/snapshot.json", cursor: 10 },
    {
      frames: (frames, head) => heard.push(["frames", frames.map((frame) => frame.seq), head]),
      snapshot: (fresh) => heard.push(["snapshot", fresh.cursor]),
      reloading: () => heard.push(["reloading"]),
      up: () => heard.push(["up"]),
      down: () => heard.push(["down"]),
    },
    {
      WebSocket: Socket,
      fetch: async (url) => {
        asked.push(url);
        return { ok: snapshot !== null, status: 500, json: async () => snapshot };
      },
      random: () => 1,
      setTimeout: (call, ms) => (timers.set(next, { call, at: now + ms }), next++),
      clearTimeout: (id) => timers.delete(id),
    },
  );
  const pass = (ms) => {
    const end = now + ms;
    for (;;) {
      const due = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      timers.delete(due[0]);
      now = due[1].at;
      due[1].call();
    }
    now = end;
  };
  return { feed, sockets, heard, asked, pass, last: () => sockets[sockets.length - 1] };
}

const hello = (cursor) => ({ type: "hello", cursor, heartbeat: 25 });
const frames = (...seqs) => ({
  type: "frames",
  cursor: seqs[seqs.length - 1],
  frames: seqs.map((seq) => ({ type: "added", seq, post: post(seq) })),
});

test("connects from its cursor, hands frames over once and in order", () => {
  const { feed, heard, last } = world();
  feed.start();
  assert.equal(last().url, "ws://x/ws/wall/t/?since=10");
  last().say(hello(12));
  last().say(frames(11, 12));
  last().say(frames(12, 13));
  last().say(frames(12, 13));
  assert.deepEqual(heard, [["up"], ["frames", [11, 12], 12], ["frames", [13], 12]]);
  assert.equal(feed.cursor, 13);
});

test("acknowledgements are gathered: one per two seconds, or after fifty messages", () => {
  const { feed, pass, last } = world();
  feed.start();
  last().say(hello(10));
  for (let seq = 11; seq < 31; seq += 1) last().say(frames(seq));
  assert.deepEqual(last().sent, []);
  pass(2000);
  assert.deepEqual(last().sent, [{ type: "ack", cursor: 30 }]);
  pass(10000);
  assert.equal(last().sent.length, 1);
  for (let seq = 31; seq < 81; seq += 1) last().say(frames(seq));
  assert.deepEqual(last().sent[1], { type: "ack", cursor: 80 });
});

test("much text is acknowledged at once", () => {
  const { feed, last } = world();
  feed.start();
  last().say(hello(10));
  const big = frames(11);
  big.frames[0].post.caption = "x".repeat(300_000);
  last().say(big);
  assert.deepEqual(last().sent, [{ type: "ack", cursor: 11 }]);
});

test("a ping is answered and carries the cursor on", () => {
  const { feed, last } = world();
  feed.start();
  last().say(hello(10));
  last().say({ type: "ping", cursor: 44 });
  assert.deepEqual(last().sent, [{ type: "pong" }]);
  assert.equal(feed.cursor, 44);
});

test("a broken line is taken up again from the cursor, waiting longer each time", () => {
  const { feed, sockets, heard, pass, last } = world();
  feed.start();
  last().say(hello(11));
  last().say(frames(11));
  last().drop();
  assert.deepEqual(heard.at(-1), ["down"]);
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    const before = sockets.length;
    pass(seconds * 1000 - 1);
    assert.equal(sockets.length, before);
    pass(1);
    assert.equal(sockets.length, before + 1);
    assert.equal(last().url, "ws://x/ws/wall/t/?since=11");
    last().drop();
  }
});

test("silence for two and a half heartbeats is a dead line; a message is a sign of life", () => {
  const { feed, sockets, heard, pass, last } = world();
  feed.start();
  last().say(hello(10));
  pass(60_000);
  last().say({ type: "ping", cursor: 10 });
  pass(62_000);
  assert.equal(sockets.length, 1);
  pass(1_500);
  assert.deepEqual(heard, [["up"], ["down"]]);
  assert.equal(sockets[0].readyState, 3);
});

test("a server that accepts and says nothing is given ten seconds", () => {
  const { feed, sockets, pass } = world();
  feed.start();
  pass(9_999);
  assert.equal(sockets.length, 1);
  pass(1_001);
  assert.equal(sockets.length, 2);
});

test("network back: no waiting; a page in the cache stays silent", () => {
  const { feed, sockets, pass, last } = world();
  feed.start();
  last().drop();
  feed.hurry();
  assert.equal(sockets.length, 2);
  feed.hurry();
  assert.equal(sockets.length, 2);
  feed.stop();
  pass(600_000);
  assert.equal(sockets.length, 2);
  feed.start();
  assert.equal(sockets.length, 3);
});

test("a gap too large: takes the snapshot and goes on from its cursor", async () => {
  const { feed, heard, asked, last } = world({ snapshot: { cursor: 900, posts: [] } });
  feed.start();
  last().say(hello(900));
  last().say({ type: "reload", cursor: 900 });
  await new Promise(setImmediate);
  assert.deepEqual(asked, ["/wall/t/snapshot.json"]);
  assert.deepEqual(heard, [["up"], ["reloading"], ["snapshot", 900]]);
  assert.deepEqual(last().sent, [{ type: "resume", cursor: 900 }]);
  last().say(frames(901));
  assert.equal(feed.cursor, 901);
});

test("a smaller snapshot (an archive set up afresh) is taken as it is", async () => {
  const { feed, last } = world({ snapshot: { cursor: 3, posts: [] } });
  feed.start();
  last().say(hello(3));
  last().say({ type: "reload", cursor: 3 });
  await new Promise(setImmediate);
  last().say(frames(4));
  assert.equal(feed.cursor, 4);
});

test("a snapshot that cannot be had, or nonsense on the line: hang up and try again", async () => {
  const { feed, heard, sockets, pass, last } = world();
  feed.start();
  last().say(hello(900));
  last().say({ type: "reload", cursor: 900 });
  await new Promise(setImmediate);
  assert.deepEqual(heard.at(-1), ["down"]);
  pass(1000);
  assert.equal(sockets.length, 2);
  last().say("<html>");
  assert.equal(sockets[1].readyState, 3);
  pass(2000);
  assert.equal(sockets.length, 3);
});
