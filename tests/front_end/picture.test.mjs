import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { colorOf, ratioOf, sizesFor, srcsetOf, usable, veilFor } = await load("picture.js");
const BASE = "http://wall.example/wall/lisbonlights/";

test("renditions are sorted, made whole, and only web addresses are taken", () => {
  const found = usable(
    [
      { w: 480, h: 360, url: "/media/r/b.webp" },
      { w: 240, h: 180, url: "/media/r/a.webp" },
      { w: 800, h: 600, url: "javascript:alert(1)" },
      { w: null, h: null, url: "/media/r/c.webp" },
      null,
    ],
    BASE,
  );
  assert.deepEqual(found.map(({ w, url }) => [w, url]), [
    [240, "http://wall.example/media/r/a.webp"],
    [480, "http://wall.example/media/r/b.webp"],
  ]);
  assert.deepEqual(usable(undefined, BASE), []);
});

test("a srcset names each width, and no address can end early", () => {
  assert.equal(srcsetOf([{ w: 240, h: 1, url: "/a.webp" }, { w: 480, h: 1, url: "/b, c.webp" }]), "/a.webp 240w, /b%2C%20c.webp 480w");
});

test("the box is known from what the server says", () => {
  assert.equal(ratioOf({ w: 1600, h: 800 }), 2);
  assert.equal(ratioOf({ w: null, h: 800 }), 0);
});

test("sizes follow the style sheet: phones, portrait, landscape, very wide", () => {
  assert.equal(
    sizesFor(1.5),
    "(max-width: 720px) min(100vw - 32px, (100vh - 124px) * 0.870), " +
      "(orientation: portrait) min(100vw - 4.4 * min(1.7778vw, 1vh), (100vh - 16.1 * min(1.7778vw, 1vh)) * 1.050), " +
      "min((100vw - 4.4 * min(1vw, 1.7778vh)) * 0.66, (100vh - 15.2 * min(1vw, 1.7778vh)) * 1.470)",
  );
  assert.match(sizesFor(2), /\* 0\.94, .* \* 1\.520\)$/);
});

test("only plain colours reach a style", () => {
  assert.equal(colorOf("#a0B1c2"), "#a0B1c2");
  for (const odd of ["red", "#fff", "#a0b1c2;", "url(x)", null, undefined]) assert.equal(colorOf(odd), "");
});

test("the veil brings the brightest parts to luminance 0.30, and never vanishes", () => {
  assert.equal(veilFor(0), 0.12);
  assert.equal(veilFor(0.3), 0.12);
  const white = veilFor(1);
  assert.ok(Math.abs(1 - white + white * 0.035 - 0.584) < 1e-9);
  assert.ok(veilFor(0.6) > 0.12 && veilFor(0.6) < white);
  for (const odd of [null, undefined, Number.NaN, -1, 2, "1"]) assert.equal(veilFor(odd), 0.55);
});
