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

  /** Takes a post in, or its new version.
   * @param {Post} post
   * @param {number} [seq] journal number; one older than the post's removal is ignored
   * @returns {"new" | "known" | "ignored"}
   */
  put(post, seq = Number.MAX_SAFE_INTEGER) {
    if (seq <= (this.removed.get(post.id) ?? -1)) return "ignored";
    this.removed.delete(post.id);
    const known = this.posts.has(post.id);
    if (known) this.order.splice(this.order.indexOf(post.id), 1);
    this.posts.set(post.id, post);
    this.order.splice(this.placeOf(post), 0, post.id);
    if (this.order.length > this.limit) {
      const last = /** @type {string} */ (this.order.pop());
      this.posts.delete(last);
    }
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
    if (!this.posts.delete(id)) return false;
    this.order.splice(this.order.indexOf(id), 1);
    return true;
  }

  /** Everything as a snapshot has it; what it does not hold is forgotten.
   * @param {Post[]} posts
   * @returns {{added: string[], gone: string[]}}
   */
  replace(posts) {
    const old = new Set(this.order);
    this.posts.clear();
    this.order = [];
    this.removed.clear();
    for (const post of posts) this.put(post);
    const added = this.order.filter((id) => !old.has(id));
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
