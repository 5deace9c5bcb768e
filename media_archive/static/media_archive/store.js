/**
 * The posts this page knows, by id and in the wall's order. Pure.
 *
 * Order: time of posting (else of archiving) descending, then id descending, as the server lists
 * them. Bounded: the oldest beyond `limit` are let go; the archive keeps them.
 */
import { momentOf } from "./text.js";

/**
 * @typedef {{w: number | null, h: number | null, url: string}} Rendition
 * @typedef {{name: string | null, user: string | null, avatar: string | null, avatar_small: string | null}} Author
 * @typedef {Object} Shown a picture and what belongs to it, all from our store
 * @property {number | null} w
 * @property {number | null} h
 * @property {string | null} alt
 * @property {Rendition[]} renditions
 * @property {string | null} jpeg
 * @property {string | null} thumb
 * @property {string | null} bg
 * @property {string | null} lqip
 * @property {string | null} color
 * @property {string | null} tint
 * @property {number | null} luma
 * @property {string | null} animated
 * @property {string | null} video
 * @typedef {Shown & {kind: string}} Child
 * @typedef {Shown & Words} Post
 * @typedef {Object} Words
 * @property {string} id
 * @property {"image" | "video" | "album" | "text" | "unknown"} kind
 * @property {string | null} caption
 * @property {string | null} posted_at
 * @property {string} archived_at
 * @property {Author | null} author
 * @property {string} source
 * @property {string | null} permalink
 * @property {string[]} tags
 * @property {boolean} pinned
 * @property {{id: string, more: number} | null} cluster near-identical shots it is the face of
 * @property {Child[]} children
 * @typedef {{cursor: number, tag: string, count: number, people: number, posts: Post[]}} Snapshot
 */

export class Store {
  /** @param {number} [limit] */
  constructor(limit = 500) {
    this.limit = limit;
    /** @type {Map<string, Post>} */
    this.posts = new Map();
    /** @type {string[]} newest first */
    this.order = [];
    /** @type {Map<string, number>} id → seq of its removal */
    this.removed = new Map();
    /** @type {Map<string, string>} cluster → the id of its face here */
    this.faces = new Map();
  }

  /** @param {string} id */
  get(id) {
    return this.posts.get(id);
  }

  /** The newest ids.
   * @param {number} n
   */
  newest(n) {
    return this.order.slice(0, n);
  }

  /** Whether word of a post is older than its removal.
   * @param {Post} post
   * @param {number} seq
   */
  isVoid(post, seq) {
    return seq <= (this.removed.get(post.id) ?? -1);
  }

  /** The id that stands here for a post's near-identical shots, or nothing.
   * @param {Post} post
   */
  faceOf(post) {
    return this.faces.get(post.cluster?.id ?? "") ?? "";
  }

  /** Lets go of those whose place `post` takes: the face so far, and the post that was folded.
   * @param {Post} post
   * @param {string} [folded]
   * @returns {string[]} their ids
   */
  fold(post, folded = "") {
    const old = [...new Set([this.faceOf(post), folded])];
    return old.filter((id) => id !== post.id && this.#drop(id));
  }

  /** How many different authors are known here. */
  get people() {
    const people = new Set([...this.posts.values()].map(({ author }) => author?.user || author?.name));
    people.delete(undefined);
    return people.size;
  }

  /** How many posts are seen or stand behind one that is. */
  get shots() {
    return [...this.posts.values()].reduce((sum, { cluster }) => sum + 1 + (cluster?.more ?? 0), 0);
  }

  /** Takes a post in, or its new version. Who has the place it takes: `fold`.
   * @param {Post} post
   * @param {number} [seq] journal number; one older than the post's removal is ignored
   * @returns {"new" | "known" | "ignored"}
   */
  put(post, seq = Number.MAX_SAFE_INTEGER) {
    if (this.isVoid(post, seq)) return "ignored";
    this.removed.delete(post.id);
    const known = this.#drop(post.id);
    this.posts.set(post.id, post);
    if (post.cluster) this.faces.set(post.cluster.id, post.id);
    this.order.splice(this.placeOf(post), 0, post.id);
    if (this.order.length > this.limit) this.#drop(this.order[this.limit]);
    return known ? "known" : "new";
  }

  /** Where in `order` a post belongs.
   * @param {Post} post
   */
  placeOf(post) {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = /** @type {Post} */ (this.posts.get(this.order[middle]));
      if (before(post, other)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param {string} id @param {number} seq */
  remove(id, seq) {
    this.removed.set(id, seq);
    if (this.removed.size > 2000) {
      const [oldest] = this.removed.keys();
      this.removed.delete(oldest);
    }
    return this.#drop(id);
  }

  /** @param {string} id */
  #drop(id) {
    const post = this.posts.get(id);
    if (!post) return false;
    this.posts.delete(id);
    this.order.splice(this.order.indexOf(id), 1);
    if (this.faceOf(post) === id) this.faces.delete(post.cluster?.id ?? "");
    return true;
  }

  /** Everything as a snapshot has it; what it does not hold is forgotten.
   * @param {Post[]} posts
   * @returns {{added: string[], gone: string[]}} another face of a known cluster is not added
   */
  replace(posts) {
    const old = new Set(this.order);
    const faces = this.faces;
    this.posts.clear();
    this.order = [];
    this.removed.clear();
    this.faces = new Map();
    for (const post of posts) this.put(post);
    const isNew = (/** @type {string} */ id) => !old.has(id) && !faces.has(this.get(id)?.cluster?.id ?? "");
    const added = this.order.filter(isNew);
    return { added, gone: [...old].filter((id) => !this.posts.has(id)) };
  }
}

/** Whether `a` stands before (is newer than) `b`.
 * @param {Post} a
 * @param {Post} b
 */
export function before(a, b) {
  const difference = momentOf(a) - momentOf(b);
  if (difference) return difference > 0;
  // Ids are decimal numbers of any length: the longer is the larger.
  if (a.id.length !== b.id.length) return a.id.length > b.id.length;
  return a.id > b.id;
}
