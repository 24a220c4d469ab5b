/**
 * Gives back the space of removed snapshots, in the background, a few objects at a time.
 *
 * For every removed snap of a pool the PG's snap index names the objects with a clone that lists it. The
 * snap is struck from the clone; a clone that no snap needs goes, and what it shared with its older
 * neighbour is cut to what both shared. Once a snap has no objects left it is purged here and reported.
 * ceph: src/osd/PrimaryLogPG.cc trim_object, SnapTrimmer
 */

import type { Clock, Logger } from "../base/index.ts";
import { decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import { CorruptionError, NoSpaceError, type ObjectStore, type StoreOp } from "../store/index.ts";
import { HObject, IntervalSet, type SnapId, SnapSet } from "../types/index.ts";
import type { ObjectContext } from "./object-context.ts";
import {
  hasOmap,
  INFO_ATTR,
  isWhiteout,
  NO_OBJECT,
  ObjectInfo,
  SNAPSET_ATTR,
} from "./object-info.ts";
import type { Pg } from "./pg.ts";
import { type PgStats, zeroStats } from "./pg-stats.ts";
import { snapIndexChanges, snapIndexPrefix } from "./snap-index.ts";
import { cloneBytes } from "./snapshots.ts";

/** Objects trimmed in one turn of the event loop. */
const OBJECTS_PER_TURN = 16;
/** Pause after running out of space, milliseconds. */
const RETRY_MS = 5000;

export interface TrimHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Snaps of the pool that are removed and not yet purged everywhere. */
  removedSnaps(pool: number): IntervalSet;
  /** Something that trimming had to look at does not read as it was written. */
  damaged(pg: Pg, error: CorruptionError): void;
  /** `pg` has purged everything it was asked to. */
  trimmed(pg: Pg): void;
}

export class SnapTrimmer {
  readonly #host: TrimHost;
  readonly #queue = new Set<Pg>();
  #scheduled = false;
  #stopped = false;

  constructor(host: TrimHost) {
    this.#host = host;
  }

  /** Snaps that a PG still has to purge. */
  pending(pg: Pg): IntervalSet {
    const left = this.#host.removedSnaps(pg.id.pool).clone();
    left.subtract(pg.info.purgedSnaps);
    return left;
  }

  enqueue(pg: Pg): void {
    this.#queue.add(pg);
    this.#schedule();
  }

  /** The PG is going away. */
  forget(pg: Pg): void {
    this.#queue.delete(pg);
  }

  stop(): void {
    this.#stopped = true;
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped || this.#queue.size === 0) return;
    this.#scheduled = true;
    this.#host.clock.defer(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const [pg] = this.#queue;
    if (pg === undefined) return;
    try {
      if (this.#step(pg)) {
        this.#queue.delete(pg);
        this.#host.trimmed(pg);
      }
    } catch (error) {
      if (error instanceof CorruptionError) {
        // The next map that names removed snapshots, or the next start, has it tried again.
        this.#queue.delete(pg);
        this.#host.damaged(pg, error);
      } else if (error instanceof NoSpaceError) {
        this.#host.log.warn("no space to trim snapshots, trying again", { pg: pg.collection });
        this.#host.clock.after(RETRY_MS, () => this.#schedule());
        return;
      } else {
        throw error;
      }
    }
    this.#schedule();
  }

  /** Trims some objects of the PG's next snap; true when nothing is left. */
  #step(pg: Pg): boolean {
    const [interval] = this.pending(pg);
    if (interval === undefined) return true;
    const snap = interval[0];
    const objects = this.#objectsWith(pg, BigInt(snap));
    for (const head of objects) this.#trim(pg, head, BigInt(snap));
    if (objects.length < OBJECTS_PER_TURN) pg.purged(snap);
    return false;
  }

  #objectsWith(pg: Pg, snap: SnapId): HObject[] {
    const { store } = this.#host;
    if (!store.hasCollection(pg.collection)) return [];
    const prefix = snapIndexPrefix(snap);
    const found: HObject[] = [];
    for (const [key, value] of store.omapEntries(pg.collection, pg.meta, prefix)) {
      if (!key.startsWith(prefix)) break;
      found.push(decodeFromBytes(HObject, value));
      if (found.length === OBJECTS_PER_TURN) break;
    }
    return found;
  }

  #trim(pg: Pg, object: HObject, snap: SnapId): void {
    const head = pg.objects.head(object);
    const before = head.snapset;
    const at = before.clones.findIndex((c) => c.snaps.includes(snap));
    const clone = before.clones[at];
    // compat: upstream logs the clone's change and the head's, and versions show in user versions.
    const { lastUpdate } = pg.info;
    const version = { ...lastUpdate, version: lastUpdate.version + 2 };
    const ops: StoreOp[] = [];
    const delta = zeroStats();
    const after: SnapSet = { seq: before.seq, clones: before.clones.slice() };
    if (clone !== undefined) {
      const snaps = clone.snaps.filter((s) => s !== snap);
      if (snaps.length > 0) after.clones[at] = { ...clone, snaps };
      else this.#dropClone(pg, head, after, at, ops, delta);
    }
    let { exists, info } = head;
    if (after.clones.length === 0 && exists && isWhiteout(info)) {
      ops.push({ op: "remove", object: head.object });
      delta.objects--;
      delta.whiteouts--;
      if (hasOmap(info)) delta.omapObjects--;
      exists = false;
      info = NO_OBJECT;
    } else if (exists) {
      info = { ...info, priorVersion: info.version, version };
      const attr = (name: string, value: Uint8Array): StoreOp => {
        return { op: "set-attr", object: head.object, name, value };
      };
      ops.push(
        attr(INFO_ATTR, encodeToBytes(ObjectInfo, info)),
        attr(SNAPSET_ATTR, encodeToBytes(SnapSet, after)),
      );
    }
    ops.push(...snapIndexChanges(pg.meta, head.object, before, after));
    if (clone === undefined) {
      // The index named an object whose snapshot set does not: strike the entry, keep the object.
      this.#host.log.error("stale snapshot index entry", { pg: pg.collection, object: object.oid });
      ops.push(pg.dropSnapIndex(snap, object));
    }
    head.lastSeq = pg.submit(ops, delta, version, 0, undefined);
    // compat: who watches a whiteout that goes is not told. Its next ping is refused, and what is notified until then
    // reaches it.
    head.exists = exists;
    head.info = info;
    // compat: while the object is remembered, what is made in its place is no part of the snapshots it was in.
    head.snapset = after;
  }

  /** Removes clone `at` from `after`; its older neighbour now borders on the next newer one. */
  #dropClone(
    pg: Pg,
    head: ObjectContext,
    after: SnapSet,
    at: number,
    ops: StoreOp[],
    delta: PgStats,
  ): void {
    const clone = after.clones[at];
    if (clone === undefined) return;
    const context = pg.objects.clone(head, clone.id);
    delta.bytes -= cloneBytes(clone);
    const older = after.clones[at - 1];
    if (older !== undefined) {
      const overlap = older.overlap.clone();
      overlap.intersect(clone.overlap);
      const merged = { ...older, overlap };
      delta.bytes += cloneBytes(merged) - cloneBytes(older);
      after.clones[at - 1] = merged;
    }
    after.clones.splice(at, 1);
    delta.objects--;
    delta.clones--;
    if (hasOmap(context.info)) delta.omapObjects--;
    ops.push({ op: "remove", object: context.object });
  }
}
