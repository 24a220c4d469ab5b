/**
 * list-snaps: an object's clones, what each shares with the next, and the head if it exists.
 * ceph: src/include/rados/rados_types.hpp obj_list_snap_response_t, src/osd/PrimaryLogPG.cc
 */

import { Writer } from "../../encoding/index.ts";
import { NOSNAP } from "../../types/index.ts";
import { readOp } from "./op.ts";

/*
 * obj_list_snap_response_t, hdr(2,1): u32 n, n x clone_info hdr(1,1){u64 id, list<u64> snaps ascending,
 *   list<{u64 offset, u64 length}> overlap, u64 size}; u64 seq. The head comes last, as NOSNAP.
 */
export const listSnaps = readOp((ctx, slot) => {
  const { snapset } = ctx;
  const w = new Writer();
  const mark = w.begin(2, 1);
  w.u32(snapset.clones.length + (ctx.isVisible ? 1 : 0));
  for (const clone of snapset.clones) {
    const item = w.begin(1, 1);
    w.u64(clone.id);
    w.u32(clone.snaps.length);
    for (const snap of clone.snaps.toReversed()) w.u64(snap);
    w.u32(clone.overlap.count);
    for (const [start, length] of clone.overlap) {
      w.u64n(start);
      w.u64n(length);
    }
    w.u64n(clone.size);
    w.end(item);
  }
  if (ctx.isVisible) {
    const item = w.begin(1, 1);
    w.u64(NOSNAP);
    w.u32(0);
    w.u32(0);
    w.u64n(ctx.info.size);
    w.end(item);
  }
  w.u64(snapset.seq);
  w.end(mark);
  slot.out = [w.finish()];
  ctx.countRead(0);
  return 0;
});
