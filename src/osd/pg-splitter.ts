/**
 * Takes one PG apart, some objects a turn. Nobody asks anything of it meanwhile.
 *
 * Each child's own object is made in the parent's collection, where its place in listings is right before the
 * child's objects: first the child's part of the log, then, with its record, it counts as begun. Objects go in
 * transactions of whole groups (an object and its clones) over to the child's collection; the same transaction
 * takes them out of the parent's counters, snapshot index and list of damage and puts them into the child's. The
 * child's own object goes with the last of them, and with that the child is whole. So a crash finds each object in
 * one PG, counted there, and by where a child's own object is it shows how far things are.
 * ceph: src/osd/PG.cc split_into, src/osd/osd_types.h object_stat_sum_t::split
 */

import { decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import { type ObjectStore, type StoreOp, TooLargeError } from "../store/index.ts";
import { formatPgId, type HObject, NOSNAP, type PgId, SnapSet } from "../types/index.ts";
import { damagedKey } from "./damage.ts";
import { hasOmap, INFO_ATTR, isWhiteout, ObjectInfo, SNAPSET_ATTR } from "./object-info.ts";
import type { Pg } from "./pg.ts";
import { metaObject, PG_INFO, PgInfo } from "./pg-info.ts";
import { childSeeds, seedOf } from "./pg-parts.ts";
import { addStats, type PgStats, zeroStats } from "./pg-stats.ts";
import { snapIndexChanges } from "./snap-index.ts";
import { cloneBytes } from "./snapshots.ts";

/** Objects that go in one transaction, clones counted; more if one object has more clones. */
const OBJECTS_PER_TURN = 32;
/** Bytes of the log in one transaction. */
const LOG_BYTES = 32 << 10;
const NO_SNAPSET: SnapSet = { seq: 0n, clones: [] };

interface Child {
  readonly id: PgId;
  readonly collection: string;
  readonly meta: HObject;
}

function isSameName(a: HObject, b: HObject): boolean {
  return a.oid === b.oid && a.hash === b.hash && a.nspace === b.nspace && a.key === b.key;
}

function minus(s: PgStats): PgStats {
  const negative = zeroStats();
  for (const key of Object.keys(s) as (keyof PgStats)[]) negative[key] = -s[key];
  return negative;
}

export class PgSplitter {
  readonly parent: Pg;
  readonly children: readonly PgId[];
  readonly #store: ObjectStore;
  readonly #to: number;
  /** Those that are not whole yet. */
  readonly #left: Child[];
  /** Objects of the next transaction at most: fewer where the store's records are small. */
  #batch = OBJECTS_PER_TURN;

  constructor(store: ObjectStore, parent: Pg, from: number, to: number) {
    this.#store = store;
    this.parent = parent;
    this.#to = to;
    const { pool, seed } = parent.id;
    this.children = childSeeds(seed, from, to).map((child) => ({ pool, seed: child }));
    this.#left = this.children
      .map((id) => ({ id, collection: formatPgId(id), meta: metaObject(id) }))
      .filter((child) => !this.#isWhole(child));
  }

  #isWhole({ collection, meta }: Child): boolean {
    return this.#store.getAttr(collection, meta, PG_INFO) !== undefined;
  }

  /**
   * Some of the work.
   * @returns whether there is more
   * @throws CorruptionError: what cannot be read cannot be counted; NoSpaceError
   */
  step(): boolean {
    const [child] = this.#left;
    if (child === undefined) return false;
    const info = this.#store.getAttr(this.parent.collection, child.meta, PG_INFO);
    if (info === undefined) this.#begin(child);
    else if (this.#moveSome(child, decodeFromBytes(PgInfo, info))) this.#left.shift();
    return this.#left.length > 0;
  }

  #submit(ops: readonly StoreOp[], delta: PgStats): void {
    this.parent.submit(ops, delta, this.parent.info.lastUpdate, 0, undefined);
  }

  #begin({ id, collection, meta }: Child): void {
    const { parent } = this;
    // A log that a crash has left half written is written over.
    let entries: [string, Uint8Array][] = [];
    let bytes = 0;
    const flush = () => {
      if (entries.length > 0)
        this.#submit([{ op: "omap-set", object: meta, entries }], zeroStats());
      entries = [];
      bytes = 0;
    };
    for (const entry of parent.log.part((hash) => seedOf(hash, this.#to) === id.seed)) {
      if (bytes + entry[1].length > LOG_BYTES) flush();
      entries.push(entry);
      bytes += entry[1].length;
    }
    flush();
    // What cannot be told from the objects is shared out evenly, by those who are left.
    const stats = zeroStats();
    for (const key of ["reads", "readKb", "writes", "writeKb"] as const) {
      stats[key] = Math.floor(parent.info.stats[key] / (this.#left.length + 1));
    }
    const { lastUpdate, lastUserVersion, purgedSnaps } = parent.info;
    const value = encodeToBytes(PgInfo, { lastUpdate, lastUserVersion, stats, purgedSnaps });
    const ops: StoreOp[] = [{ op: "set-attr", object: meta, name: PG_INFO, value }];
    if (!this.#store.hasCollection(collection))
      ops.unshift({ op: "create-collection", collection });
    this.#submit(ops, minus(stats));
  }

  /** @returns whether that was all of the child's */
  #moveSome(child: Child, info: PgInfo): boolean {
    const { objects, isLast } = this.#next(child);
    const delta = zeroStats();
    const ops: StoreOp[] = [];
    for (const object of objects) {
      if (object.snap === NOSNAP) this.#countGroup(object, objects, delta);
      this.#moveEntries(child, object, ops);
    }
    const stats = { ...info.stats };
    addStats(stats, delta);
    const value = encodeToBytes(PgInfo, { ...info, stats });
    ops.push({ op: "set-attr", object: child.meta, name: PG_INFO, value });
    const moved = isLast ? [...objects, child.meta] : objects;
    ops.push({ op: "move", objects: moved, to: child.collection });
    try {
      this.#submit(ops, minus(delta));
    } catch (error) {
      if (!(error instanceof TooLargeError) || this.#batch === 1) throw error;
      this.#batch = Math.floor(this.#batch / 2);
      return false;
    }
    return isLast;
  }

  /** The first of the child's objects that are still in the parent's collection, in whole groups. */
  #next({ id, meta }: Child): { objects: HObject[]; isLast: boolean } {
    for (let max = this.#batch; ; max *= 2) {
      // The child's own object comes first, and is none of them.
      const page = this.#store.list(this.parent.collection, meta, max + 1);
      const isTheirs = (o: HObject | undefined) =>
        o !== undefined && seedOf(o.hash, this.#to) === id.seed;
      const objects = page.objects.filter((o) => o.oid !== "" && isTheirs(o));
      if (!isTheirs(page.objects.at(-1)) || !isTheirs(page.next)) return { objects, isLast: true };
      const { next } = page;
      const whole = objects.filter((o) => next === undefined || !isSameName(o, next));
      if (whole.length > 0) return { objects: whole, isLast: false };
    }
  }

  /** Adds a head and its clones to the counters that they go with. */
  #countGroup(head: HObject, objects: readonly HObject[], delta: PgStats): void {
    const info = this.#info(head);
    if (info === undefined) return;
    delta.objects++;
    delta.bytes += info.size;
    if (isWhiteout(info)) delta.whiteouts++;
    if (hasOmap(info)) delta.omapObjects++;
    const { clones } = this.#snapset(head);
    for (const object of objects) {
      if (object === head || !isSameName(object, head)) continue;
      const clone = clones.find(({ id }) => id === object.snap);
      if (clone === undefined) continue;
      delta.objects++;
      delta.clones++;
      delta.bytes += cloneBytes(clone);
      const cloneInfo = this.#info(object);
      if (cloneInfo !== undefined && hasOmap(cloneInfo)) delta.omapObjects++;
    }
  }

  #info(object: HObject): ObjectInfo | undefined {
    const encoded = this.#store.getAttr(this.parent.collection, object, INFO_ATTR);
    return encoded && decodeFromBytes(ObjectInfo, encoded);
  }

  #snapset(head: HObject): SnapSet {
    const encoded = this.#store.getAttr(this.parent.collection, head, SNAPSET_ATTR);
    return encoded === undefined ? NO_SNAPSET : decodeFromBytes(SnapSet, encoded);
  }

  /** What the PGs' own objects have about an object. */
  #moveEntries({ meta }: Child, object: HObject, ops: StoreOp[]): void {
    const parentMeta = this.parent.meta;
    if (object.snap === NOSNAP) {
      const snapset = this.#snapset(object);
      ops.push(
        ...snapIndexChanges(parentMeta, object, snapset, NO_SNAPSET),
        ...snapIndexChanges(meta, object, NO_SNAPSET, snapset),
      );
    }
    const key = damagedKey(object);
    const damaged = this.#store.omapGet(this.parent.collection, parentMeta, key);
    if (damaged === undefined) return;
    ops.push(
      { op: "omap-remove", object: parentMeta, keys: [key] },
      { op: "omap-set", object: meta, entries: [[key, damaged]] },
    );
  }
}
