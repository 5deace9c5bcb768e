import assert from "node:assert/strict";
import { test } from "node:test";
import { load, post } from "./load.mjs";

const text = await load("text.js");
const family = "👩‍👩‍👧‍👦";

test("trailing hashtags are cut off the caption", () => {
  for (const [caption, body, tags] of [
    ["Red hour. #lisbonlights #x", "Red hour.", ["#lisbonlights", "#x"]],
    ["Words\n.\n.\n.\n#one#two, #three", "Words", ["#one", "#two", "#three"]],
    ["#only #tags", "", ["#only", "#tags"]],
    ["#first then words", "#first then words", []],
    ["مرحبا #غروب", "مرحبا", ["#غروب"]],
    ["夕焼け ＃日本語", "夕焼け", ["＃日本語"]],
    ["twice #a #a", "twice", ["#a"]],
    ["price is 5#", "price is 5#", []],
    [null, "", []],
    ["", "", []],
  ]) {
    assert.deepEqual(text.splitCaption(caption), { body, tags }, String(caption));
  }
});

test("a hostile caption is split in no time", () => {
  const began = performance.now();
  text.splitCaption("#a ".repeat(700) + "!");
  text.splitCaption("#".repeat(2200));
  text.splitCaption(" ".repeat(2200) + "x");
  assert.ok(performance.now() - began < 500);
});

test("line breaks are kept up to two in a row, control characters are not", () => {
  assert.equal(text.tidy("a\r\n\r\n\r\n\r\nb\u0007\u0000c"), "a\n\nbc");
});

test("shortening never splits an emoji", () => {
  assert.equal(text.shorten(family.repeat(3), 2), `${family.repeat(2)}…`);
  assert.equal(text.shorten("short", 5), "short");
});

test("type size follows the length in graphemes", () => {
  assert.equal(text.sizeOf(family.repeat(39)), "xl");
  assert.equal(text.sizeOf("a".repeat(40)), "l");
  assert.equal(text.sizeOf("a".repeat(90)), "m");
  assert.equal(text.sizeOf("a".repeat(180)), "s");
});

test("time in words", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  const said = (seconds, lang = "en") => text.timeAgo(now - seconds * 1000, now, lang, "just now");
  assert.equal(said(-500), "just now");
  assert.equal(said(19), "just now");
  assert.equal(said(29), "25 seconds ago");
  assert.equal(said(60), "1 minute ago");
  assert.equal(said(180), "3 minutes ago");
  assert.equal(said(7200), "2 hours ago");
  assert.equal(said(90000), "yesterday");
  assert.equal(said(86400 * 365.25 * 12), "12 years ago");
  assert.equal(said(180, "de"), "vor 3 Minuten");
});

test("only http and https addresses are let through", () => {
  assert.equal(text.safeAddress("https://example.test/a b"), "https://example.test/a%20b");
  for (const bad of ["javascript:alert(1)", " JaVaScRiPt:x", "data:text/html,x", "//x", "", null, 5, {}]) {
    assert.equal(text.safeAddress(bad), null, String(bad));
  }
});

test("reading direction follows the first letter", () => {
  assert.equal(text.readingDirection("123 🎉 שלום hello"), "rtl");
  assert.equal(text.readingDirection("- hello مرحبا"), "ltr");
  assert.equal(text.readingDirection("🎉 12"), "");
});

test("alternative text: the source's own, else name and words, else tag and time", () => {
  const author = { name: "Ana Costa", user: "ana", avatar: null };
  assert.equal(text.altFor(post(1, { alt: "A dune" }), "x"), "A dune");
  assert.equal(text.altFor(post(1, { author, caption: "Red\nhour #x" }), "x"), "Photo by Ana Costa: Red hour");
  assert.equal(text.altFor(post(1, { author }), "x"), "Photo by Ana Costa");
  assert.equal(text.altFor(post(1), "x"), "Photo tagged #x, 21:14");
});

test("a letter for those without a picture", () => {
  assert.equal(text.initial("  josé"), "J");
  assert.equal(text.initial("🎉 لیلا"), "ل");
  assert.equal(text.initial("🎉"), "");
  assert.equal(text.initial(null), "");
});
