import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { DEFAULTS, directionOf, readSettings } = await load("settings.js");
const { wordsIn } = await load("words.js");

test("without parameters everything is as documented", () => {
  assert.deepEqual(readSettings(""), { settings: { ...DEFAULTS }, refused: [] });
});

test("good values are taken", () => {
  const { settings, refused } = readSettings("?dwell=3.5&loop=off&join=off&accent=FF00aa&lang=pt-BR&safe=10");
  assert.deepEqual(refused, []);
  assert.deepEqual(
    [settings.dwell, settings.loop, settings.join, settings.accent, settings.lang, settings.safe],
    [3.5, 0, false, "#FF00aa", "pt-BR", 10],
  );
});

test("bad values fall back silently and are listed", () => {
  const bad = "?dwell=2&dwell=1e1&loop=9&join=yes&accent=red&lang=%3Cb%3E&safe=-1&__proto__=x&nope=1&layout=toString";
  const { settings, refused } = readSettings(bad);
  assert.deepEqual(settings, { ...DEFAULTS });
  assert.deepEqual(refused, "dwell dwell loop join accent lang safe __proto__ nope layout".split(" "));
});

test("interface direction", () => {
  assert.deepEqual(["ar-EG", "he", "fa", "en", "arn"].map(directionOf), ["rtl", "rtl", "rtl", "ltr", "ltr"]);
});

test("sentences: numbers in the language, a missing one in English, the tag left to the page", () => {
  assert.equal(wordsIn("en").say("live_waiting", { n: 1234 }), "Live · 1,234 new photos");
  assert.equal(wordsIn("de").say("live_waiting", { n: 1234 }), "Live · 1.234 new photos");
  assert.equal(wordsIn("ar-EG").say("live"), "مباشر");
  assert.match(wordsIn("ar").say("join_how"), /\{tag\}/);
});
