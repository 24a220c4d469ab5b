/**
 * An object as the PG sees it: its info and snapshot set, decoded once and kept while it is in use.
 *
 * The state here is always the newest one submitted to the store, durable or not; `lastSeq` says which
 * transaction made it. The cache may drop a context at any time once that transaction is durable and
 * nobody watches the object: everything in it can be read back.
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
  /** Live watches by watchKey. */
  readonly watches: Map<string, Watch>;
}

/** Contexts kept per PG beyond those in use. */
const CACHE_MAX = 512;

function cacheKey(o: HObject): string {
  if (o.nspace === "" && o.key === "") return `=${o.oid}`;
  return `${o.nspace.length},${o.key.length}:${o.nspace}${o.key}${o.oid}`;
}

/** Loads and keeps the contexts of one PG's heads. */
export class ObjectContexts {
  readonly #store: ObjectStore;
  readonly #collection: CollectionId;
  /** In order of last use. */
  readonly #heads = new Map<string, ObjectContext>();
  readonly #loaded: (context: ObjectContext) => void;

  /** @param loaded told of every head read from the store, e.g. to revive its watches */
  constructor(
    store: ObjectStore,
    collection: CollectionId,
    loaded: (context: ObjectContext) => void,
  ) {
    this.#store = store;
    this.#collection = collection;
    this.#loaded = loaded;
  }

  /** The context of a head, whether it exists or not. */
  head(object: HObject): ObjectContext {
    const key = cacheKey(object);
    let context = this.#heads.get(key);
    if (context === undefined) {
      context = this.#load({ ...object, snap: NOSNAP });
      this.#heads.set(key, context);
      this.#shrink();
      this.#loaded(context);
    } else if (this.#heads.size > CACHE_MAX / 2) {
      this.#heads.delete(key);
      this.#heads.set(key, context);
    }
    return context;
  }

  /** The context of a clone, as of now; it shares the head's snapshot set and is not kept. */
  clone(head: ObjectContext, snap: bigint): ObjectContext {
    const context = this.#load({ ...head.object, snap });
    context.snapset = head.snapset;
    context.lastSeq = head.lastSeq;
    return context;
  }

  /** Heads that somebody watches. */
  *watched(): Iterable<ObjectContext> {
    for (const context of this.#heads.values()) if (context.watches.size > 0) yield context;
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
      watches: new Map(),
    };
  }

  #shrink(): void {
    if (this.#heads.size <= CACHE_MAX) return;
    for (const [key, context] of this.#heads) {
      if (context.watches.size > 0 || context.lastSeq > this.#store.lastDurable) continue;
      this.#heads.delete(key);
      if (this.#heads.size <= CACHE_MAX) return;
    }
  }
}
