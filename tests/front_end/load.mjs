// Modules of the page as Node can import them: copied beside a package.json that says they are
// ES modules, so that any Node from version 18 on runs these tests without options.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const source = fileURLToPath(new URL("../../media_archive/static/media_archive/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "photowall-modules-"));
cpSync(source, folder, { recursive: true, filter: (path) => !path.endsWith(".woff2") });
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** @param {string} name of a module, such as "pacer.js" */
export const load = (name) => import(pathToFileURL(join(folder, name)).href);

/** A post as the server sends it. */
export const post = (id, more = {}) => ({
  id: String(id),
  kind: "image",
  w: 1080,
  h: 1080,
  alt: null,
  caption: null,
  posted_at: "2026-11-20T21:14:05.000Z",
  archived_at: "2026-11-20T21:14:06.000Z",
  author: null,
  source: "Instagram",
  permalink: null,
  tags: ["lisbonlights"],
  pinned: false,
  renditions: [],
  jpeg: null,
  thumb: null,
  bg: null,
  lqip: null,
  color: null,
  tint: null,
  luma: null,
  animated: null,
  video: null,
  children: [],
  ...more,
});
