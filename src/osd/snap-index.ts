/**
 * Which objects have clones for a snap: the index that snapshot trimming walks.
 *
 * Keys in the omap of the PG's own object, `snap.<snap, 16 hex digits>.<object, as the store orders it>`,
 * changed in the same transaction as the snapshot set they mirror. The value is the encoded head.
 * ceph: src/osd/SnapMapper.h
 */

import { encodeToBytes } from "../encoding/index.ts";
import { objectKey, type StoreOp } from "../store/index.ts";
import { HObject, type SnapId, type SnapSet } from "../types/index.ts";

const PREFIX = "snap.";

/** Keys of one snap begin with this. */
export function snapIndexPrefix(snap: SnapId): string {
  return `${PREFIX}${snap.toString(16).padStart(16, "0")}.`;
}

/** The entry of one object. */
export function snapIndexKey(snap: SnapId, head: HObject): string {
  return snapIndexPrefix(snap) + objectKey(head);
}

function snapsOf(snapset: SnapSet): Set<SnapId> {
  const snaps = new Set<SnapId>();
  for (const clone of snapset.clones) for (const snap of clone.snaps) snaps.add(snap);
  return snaps;
}

/** The index changes that go with a change of an object's snapshot set. */
export function snapIndexChanges(
  meta: HObject,
  head: HObject,
  before: SnapSet,
  after: SnapSet,
): StoreOp[] {
  if (before.clones.length === 0 && after.clones.length === 0) return [];
  const old = snapsOf(before);
  const now = snapsOf(after);
  const added = [...now].filter((s) => !old.has(s)).map((s) => snapIndexKey(s, head));
  const gone = [...old].filter((s) => !now.has(s)).map((s) => snapIndexKey(s, head));
  const ops: StoreOp[] = [];
  if (added.length > 0) {
    const value = encodeToBytes(HObject, head);
    ops.push({ op: "omap-set", object: meta, entries: added.map((k) => [k, value] as const) });
  }
  if (gone.length > 0) ops.push({ op: "omap-remove", object: meta, keys: gone });
  return ops;
}
