import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Notice } = await load("notice.js");

function stage(answers) {
  const classes = new Set();
  const place = { textContent: "" };
  const app = {
    querySelector: () => place,
    classList: { toggle: (name, on) => (on ? classes.add(name) : classes.delete(name)) },
  };
  const timers = [];
  const asked = [];
  const world = {
    setTimeout: (f, ms) => timers.push({ f, ms }),
    fetch: async (url) => {
      asked.push(url);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return { ok: true, json: async () => ({ notice: answer }) };
    },
  };
  return { notice: new Notice(app, "/s.json", world), place, classes, timers, asked };
}

async function tick(timers) {
  timers.shift().f();
  await new Promise((done) => setImmediate(done));
}

test("says a sentence and takes it back", () => {
  const { notice, place, classes } = stage([]);
  notice.say("Paused by the organiser.");
  assert.equal(place.textContent, "Paused by the organiser.");
  assert.ok(classes.has("noticed"));
  notice.say(null);
  assert.equal(place.textContent, "");
  assert.ok(!classes.has("noticed"));
});

test("looks again while nothing is shown, ever more rarely, and through a break", async () => {
  const { notice, place, timers, asked } = stage([new Error("down"), "Not now.", null]);
  notice.empty(true);
  notice.empty(true);
  assert.deepEqual(timers.map(({ ms }) => ms), [8000]);
  await tick(timers);
  await tick(timers);
  assert.equal(place.textContent, "Not now.");
  assert.deepEqual(timers.map(({ ms }) => ms), [32000]);
  await tick(timers);
  assert.equal(place.textContent, "");
  assert.equal(asked.length, 3);
});

test("a wall with photos asks nothing", async () => {
  const { notice, timers, asked } = stage(["Not now."]);
  notice.empty(false);
  assert.equal(timers.length, 0);
  notice.empty(true);
  notice.empty(false);
  await tick(timers);
  assert.equal(asked.length, 0);
  assert.equal(timers.length, 0);
});
