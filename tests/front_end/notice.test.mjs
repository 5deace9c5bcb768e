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
  const changes = [];
  const world = {
    setTimeout: (f, ms) => timers.push({ f, ms }),
    fetch: async (url) => {
      asked.push(url);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return { ok: true, json: async () => ({ notice: answer }) };
    },
  };
  return { notice: new Notice(app, "/n.json", () => changes.push(place.textContent), world), place, classes, timers, asked, changes };
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
  notice.look(true);
  notice.look(true);
  assert.deepEqual(timers.map(({ ms }) => ms), [8000]);
  await tick(timers);
  await tick(timers);
  assert.equal(place.textContent, "Not now.");
  assert.deepEqual(timers.map(({ ms }) => ms), [32000]);
  await tick(timers);
  assert.equal(place.textContent, "");
  assert.equal(asked.length, 3);
});

test("a wall with photos asks every two minutes at the latest, and the pill learns of it", async () => {
  const { notice, timers, asked, changes } = stage(["Not now.", null]);
  notice.look(false);
  notice.look(false);
  assert.equal(timers.length, 1);
  assert.ok(timers[0].ms >= 80000 && timers[0].ms <= 120000);
  await tick(timers);
  assert.deepEqual([asked, changes, notice.said], [["/n.json"], ["Not now."], true]);
  assert.ok(timers[0].ms >= 80000, "it goes on, and does not hurry");
  await tick(timers);
  assert.deepEqual([changes, notice.said], [["Not now.", ""], false]);
});
