// Tells the page's store whole stories, as the wall does, and prints what it then shows. Each
// story is a list of snapshots and frames; the file is named on the command line.
import { readFileSync } from "node:fs";
import { load } from "./load.mjs";

const { Store } = await load("store.js");

/** @param {any[]} story */
function tell(story) {
  const store = new Store();
  for (const said of story) {
    if (said.type === "snapshot") store.replace(said.posts);
    else if (said.type === "pinned") Object.assign(store.get(said.id) ?? {}, { pinned: said.pinned });
    else if (said.type === "removed") {
      const next = said.instead && !store.isVoid(said.instead, said.seq) ? said.instead : null;
      if (next) put(store, next, said.seq, said.id);
      store.remove(said.id, said.seq);
    } else if (!store.isVoid(said.post, said.seq)) put(store, said.post, said.seq, said.folded);
  }
  const faces = [...store.faces.values()].sort();
  const clustered = store.order.filter((id) => store.get(id).cluster).sort();
  if (faces.join() !== clustered.join()) throw new Error(`faces ${faces}, tiles ${clustered}`);
  return store.order.map((id) => [id, store.get(id).cluster?.more ?? 0, store.get(id).pinned]);
}

function put(store, post, seq, folded) {
  store.fold(post, folded);
  store.put(post, seq);
}

const stories = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(stories.map(tell)));
