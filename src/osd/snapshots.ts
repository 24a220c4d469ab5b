/**
 * Snapshots of objects: which clone a snap reads, when a write makes a clone, how a rollback works.
 *
 * Clones are ordered oldest first. A clone's overlap is what it still shares with the next newer clone,
 * or with the head if it is the newest; only the newest clone's overlap ever shrinks by a write.
 * ceph: src/osd/PrimaryLogPG.cc find_object_context, make_writeable, _rollback_to
 */

import { fail, type OpFailure } from "../base/index.ts";
import { encodeToBytes } from "../encoding/index.ts";
import { type PgPool, POOL_FLAG } from "../maps/index.ts";
import {
  type Clone,
  type EVersion,
  IntervalSet,
  type SnapContext,
  type SnapId,
  type SnapSet,
} from "../types/index.ts";
import type { ObjectContext } from "./object-context.ts";
import {
  hasOmap,
  INFO_ATTR,
  isWhiteout,
  OBJECT_FLAG,
  ObjectInfo,
  SNAPSET_ATTR,
} from "./object-info.ts";
import type { OpContext } from "./op-context.ts";

/** Where a read at `snap` finds the object. */
export type SnapTarget = { at: "head" } | { at: "clone"; id: SnapId } | { at: "nothing" };

/** @param removed snaps that are gone from the pool although clones may still list them */
export function resolveSnap(
  snapset: SnapSet,
  snap: SnapId,
  removed: (snap: SnapId) => boolean,
): SnapTarget {
  if (snap > snapset.seq) return { at: "head" };
  const clone = snapset.clones.find((c) => c.id >= snap);
  if (clone === undefined || !clone.snaps.includes(snap) || removed(snap)) return { at: "nothing" };
  return { at: "clone", id: clone.id };
}

/** Bytes that only this clone holds: not shared with the next newer one. */
export function cloneBytes(clone: Clone): number {
  return clone.size - clone.overlap.size;
}

function replaceNewest(snapset: SnapSet, newest: Clone): void {
  snapset.clones[snapset.clones.length - 1] = newest;
}

/**
 * Before a change to the head is submitted: keeps the old head as a clone if the snap context says that a
 * newer snapshot needs it, and cuts what the change touches out of the newest clone's overlap.
 * @returns true if a clone was made (it takes a version of its own)
 */
export function makeWriteable(ctx: OpContext, version: EVersion): boolean {
  const { before, snapContext, snapset } = ctx;
  if (ctx.exists && hasOmap(ctx.info)) ctx.delta.omapObjects++;
  if (before.exists && hasOmap(before.info)) ctx.delta.omapObjects--;
  const newestSnap = snapContext.snaps[0];
  const cloned =
    before.exists &&
    !isWhiteout(before.info) &&
    newestSnap !== undefined &&
    newestSnap > snapset.seq;
  if (cloned) {
    const clone: Clone = {
      id: snapContext.seq,
      snaps: snapContext.snaps.filter((s) => s > snapset.seq),
      size: before.info.size,
      overlap: IntervalSet.of(0, before.info.size),
    };
    const object = { ...ctx.object, snap: clone.id };
    const info: ObjectInfo = {
      ...before.info,
      version,
      priorVersion: before.info.version,
      watchers: [],
    };
    // The clone is of the head as it was, so it comes before everything the request has staged.
    ctx.staged.unshift(
      { op: "clone", object: ctx.object, to: object },
      { op: "set-attr", object, name: INFO_ATTR, value: encodeToBytes(ObjectInfo, info) },
      { op: "remove-attr", object, name: SNAPSET_ATTR },
    );
    snapset.clones.push(clone);
    ctx.delta.objects++;
    ctx.delta.clones++;
    if (hasOmap(before.info)) ctx.delta.omapObjects++;
  }
  const newest = snapset.clones.at(-1);
  if (newest !== undefined && ctx.modified !== undefined) {
    const cut = ctx.modified.clone();
    cut.intersect(newest.overlap);
    // What the head no longer shares is now the clone's alone.
    ctx.delta.bytes += cut.size;
    const overlap = newest.overlap.clone();
    overlap.subtract(cut);
    replaceNewest(snapset, { ...newest, overlap });
  }
  if (snapContext.seq > snapset.seq) snapset.seq = snapContext.seq;
  return cloned;
}

/** Makes the head what it was at `snap`; deletes it if there was nothing then. */
export function rollback(ctx: OpContext, snap: SnapId): OpFailure | undefined {
  const source = ctx.resolveSnap(ctx.before, snap);
  if (source === undefined || !source.exists || isWhiteout(source.info)) {
    if (ctx.before.info.watchers.length > 0) return fail("EBUSY");
    ctx.remove();
    return undefined;
  }
  if (source.object.snap === ctx.object.snap) {
    ctx.modify = true; // the head itself is the right version
    return undefined;
  }
  rollbackToClone(ctx, source);
  return undefined;
}

function rollbackToClone(ctx: OpContext, source: ObjectContext): void {
  // What every clone from the target up to the head has in common is unchanged by going back.
  const from = ctx.snapset.clones.findIndex((c) => c.id === source.object.snap);
  let common: IntervalSet | undefined;
  for (const clone of ctx.snapset.clones.slice(from)) {
    if (common === undefined) common = clone.overlap.clone();
    else common.intersect(clone.overlap);
  }
  if (ctx.info.size > 0) {
    const changed = IntervalSet.of(0, ctx.info.size);
    if (common !== undefined) changed.subtract(common);
    ctx.modified ??= new IntervalSet();
    ctx.modified.union(changed);
  }
  ctx.stageFresh({ op: "clone", object: source.object, to: ctx.object });
  if (!ctx.exists) {
    ctx.exists = true;
    ctx.delta.objects++;
  } else if (isWhiteout(ctx.info)) {
    ctx.info.flags &= ~OBJECT_FLAG.WHITEOUT;
    ctx.delta.whiteouts--;
  }
  ctx.resize(source.info.size);
  ctx.markOmap(hasOmap(source.info));
}

/** Pool snapshots as a context for writes; undefined when clients manage snapshots themselves. */
export function poolSnapContext(pool: PgPool): SnapContext | undefined {
  if ((pool.flags & POOL_FLAG.POOL_SNAPS) === 0) return undefined;
  const snaps = [...pool.snaps.keys()].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  return { seq: pool.snapSeq, snaps };
}
