/**
 * Which snapshots of a copy stand for those of the source.
 * ceph: src/librbd/deep_copy/Utils.cc compute_snap_map
 */

import type { SnapId } from "../../types/index.ts";
import { compareSnapIds } from "./snap-order.ts";

/**
 * By snapshot of the source, ascending, NOSNAP for what it is now: the target's snapshot that has the same,
 * and behind it all older ones of the target, newest first. Those are what a write for it has to keep.
 */
export type SnapMap = ReadonlyMap<SnapId, readonly [SnapId, ...SnapId[]]>;

/**
 * @param targetSnaps snapshots of the target that writes have to keep besides those of `pairs`
 * @param pairs the target's snapshot for each of the source
 * @param from older ones of the source are left out
 */
export function computeSnapMap(
  targetSnaps: Iterable<SnapId>,
  pairs: Iterable<readonly [source: SnapId, target: SnapId]>,
  from: SnapId,
): SnapMap {
  const others = [...targetSnaps].sort(compareSnapIds);
  const snapMap = new Map<SnapId, readonly [SnapId, ...SnapId[]]>();
  let older: readonly SnapId[] = [];
  for (const [source, target] of [...pairs].sort((a, b) => compareSnapIds(a[0], b[0]))) {
    for (let next = others[0]; next !== undefined && next <= target; next = others[0]) {
      others.shift();
      if (next < target) older = [next, ...older];
    }
    const entry: readonly [SnapId, ...SnapId[]] = [target, ...older];
    older = entry;
    if (source >= from) snapMap.set(source, entry);
  }
  return snapMap;
}
