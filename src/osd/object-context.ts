/**
 * An object as the PG sees it: its info and snapshot set, decoded once and kept while it is in use.
 *
 * The state here is always the newest one submitted to the store, durable or not; `lastSeq` says which
 * transaction made it. The cache may drop a context at any time once that transaction is durable, what
 * requests want done then is done, and nobody watches the object: everything in it can be read back.
 * ceph: src/osd/object_state.h, src/osd/PrimaryLogPG.cc get_object_context
 */

import { decodeFromBytes } from "../encoding/index.ts";
import type { CollectionId, ObjectStore, TransactionSeq } from "../store/index.ts";
import { type HObject, NOSNAP, SnapSet } from "../types/index.ts";
import { INFO_ATTR, NO_OBJECT, ObjectInfo, SNAPSET_ATTR } from "./object-info.ts";
import type { Watch } from "./watch.ts";

export interface ObjectContext {
  readonly object: HObject;
  /** A whiteout exists: it keeps the snapshot set of a deleted head. */
  exists: boolean;
  info: ObjectInfo;
  snapset: SnapSet;
  /** The last transaction that changed the object. */
  lastSeq: TransactionSeq;
  /** Live watches by watchKey: NO_WATCHES until there is one. */
  watches: Map<string, Watch>;
  /** Requests whose effects are still to come: they find their object here. */
  pendingEffects: number;
  /** Looked at since the cache last made room. */
  recent: boolean;
}

/** Most objects are never watched: one empty map serves them all. */
export const NO_WATCHES: Map<string, Watch> = new Map();

function cacheKey(o: HObject): string {
  // Nearly all: no text to be made. What begins like the others' keys is written like them.
  if (o.nspace === "" && o.key === "" && o.oid.charCodeAt(0) !== 0) return o.oid;
  return `\x00${o.nspace.length},${o.key.length}:${o.nspace}${o.key}${o.oid}`;
}

/** Loads and keeps the contexts of one PG's heads. */
export class ObjectContexts {
  readonly #store: ObjectStore;
  readonly #collection: CollectionId;
  readonly #heads = new Map<string, ObjectContext>();
  readonly #loaded: (context: ObjectContext) => void;
  readonly #max: () => number;

  /**
   * @param max how many to keep beyond those in use
   * @param loaded told of every head read from the store, e.g. to revive its watches
   */
  constructor(
    store: ObjectStore,
    collection: CollectionId,
    max: () => number,
    loaded: (context: ObjectContext) => void,
  ) {
    this.#max = max;
    this.#store = store;
    this.#collection = collection;
    this.#loaded = loaded;
  }

  /** The context of a head, whether it exists or not. */
  head(object: HObject): ObjectContext {
    const key = cacheKey(object);
    const known = this.#heads.get(key);
    if (known !== undefined) {
      known.recent = true;
      return known;
    }
    const context = this.#load({ ...object, snap: NOSNAP });
    this.#heads.set(key, context);
    if (this.#heads.size > this.#max()) this.#shrink(context);
    this.#loaded(context);
    return context;
  }

  /** The context of a clone, as of now; it shares the head's snapshot set and is not kept. */
  clone(head: ObjectContext, snap: bigint): ObjectContext {
    const context = this.#load({ ...head.object, snap });
    context.snapset = head.snapset;
    context.lastSeq = head.lastSeq;
    return context;
  }

  /** Is it the one that requests for its object get? One of a clone never is. */
  has(context: ObjectContext): boolean {
    return this.#heads.get(cacheKey(context.object)) === context;
  }

  /** Heads that somebody watches. */
  *watched(): Iterable<ObjectContext> {
    for (const context of this.#heads.values()) if (context.watches.size > 0) yield context;
  }

  /** Forgets all whose hash is none of ours, and gives them away. */
  takeOthers(isOurs: (hash: number) => boolean): ObjectContext[] {
    const taken: ObjectContext[] = [];
    for (const [key, context] of this.#heads) {
      if (isOurs(context.object.hash)) continue;
      this.#heads.delete(key);
      taken.push(context);
    }
    return taken;
  }

  /** Takes over a head's context from another PG. */
  put(context: ObjectContext): void {
    this.#heads.set(cacheKey(context.object), context);
  }

  #load(object: HObject): ObjectContext {
    const encoded = this.#store.getAttr(this.#collection, object, INFO_ATTR);
    const snapset =
      encoded === undefined || object.snap !== NOSNAP
        ? undefined
        : this.#store.getAttr(this.#collection, object, SNAPSET_ATTR);
    return {
      object,
      exists: encoded !== undefined,
      info: encoded === undefined ? NO_OBJECT : decodeFromBytes(ObjectInfo, encoded),
      snapset: snapset === undefined ? { seq: 0n, clones: [] } : decodeFromBytes(SnapSet, snapset),
      // Contexts with changes that are not durable yet are never dropped, so what is loaded is durable.
      lastSeq: 0,
      watches: NO_WATCHES,
      pendingEffects: 0,
      recent: true,
    };
  }

  /** Forgets a quarter, those not looked at lately first. */
  #shrink(keep: ObjectContext): void {
    const limit = (this.#max() * 3) / 4;
    for (let pass = 0; pass < 2; pass++) {
      for (const [key, context] of this.#heads) {
        if (this.#heads.size <= limit) return;
        const isInUse =
          context.watches.size > 0 ||
          context.pendingEffects > 0 ||
          context.lastSeq > this.#store.lastDurable;
        if (isInUse || context === keep) continue;
        if (context.recent) context.recent = false;
        else this.#heads.delete(key);
      }
    }
  }
}
