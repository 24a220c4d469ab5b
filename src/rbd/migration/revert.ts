/**
 * Bringing a migration's source to what the destination is now: its size, and every byte that differs.
 *
 * What the destination has never copied is the source's still. Upstream writes the changes to the source's objects
 * as they are: there a clone loses what its objects showed of its parent, and what was made zero in an image
 * without snapshots comes back.
 * ceph: src/librbd/api/Migration.cc revert_data
 */

import type { MigrationSpec } from "../../cls/rbd/types.ts";
import { IntervalSet, NOSNAP, type SnapId } from "../../types/index.ts";
import { compareSnapIds } from "../deep-copy/snap-order.ts";
import { imageError, unless } from "../errors.ts";
import type { Image } from "../image.ts";
import { assembled } from "../io/image-data.ts";
import { ImageIo } from "../io/image-io.ts";
import { isAllZero } from "../io/object-write.ts";
import { forEachObject, noProgress, type Progress } from "../progress.ts";
import { resizeLocked } from "../resize.ts";
import { SnapshotReader } from "../snapshot-read.ts";
import { objectToImage } from "../striper.ts";

/** Bytes that are compared, and written, at a time. */
const BLOCK = 64 << 10;

export interface Revert {
  /** The destination, opened for a step of the migration. */
  readonly from: Image;
  /** The source, locked. */
  readonly to: Image;
  readonly spec: MigrationSpec;
  /** All had been copied: what is not there has been let go of since. */
  readonly wasExecuted: boolean;
  /** Nobody has begun to remove the destination: what lies past the overlap is not there as it never was. */
  readonly isWhole: boolean;
}

export async function revertData(revert: Revert, progress: Progress): Promise<void> {
  const { from, to } = revert;
  if (to.size !== from.size) {
    await resizeLocked(to, from.size, { allowShrink: true, progress: noProgress });
    await to.notifyUpdate();
  }
  const reader = await SnapshotReader.open(from.context, from, NOSNAP);
  const io = new ImageIo(to);
  await forEachObject({ start: 0, end: from.objectCount }, progress, async (objectNo) => {
    to.checkOwner();
    for (const [offset, length] of await mayDiffer(revert, objectNo)) {
      for (let at = 0; at < length; at += BLOCK) {
        await revertRange(reader, io, offset + at, Math.min(BLOCK, length - at));
      }
    }
  });
}

/** Ranges of the image in which an object of the destination may have what the source has not. */
async function mayDiffer(revert: Revert, objectNo: number): Promise<IntervalSet> {
  const { from, spec, wasExecuted, isWhole } = revert;
  if (from.dataIo === undefined) {
    throw imageError("ENODEV", "open the data pool of", from.target);
  }
  const oid = from.objectName(objectNo);
  const listing = await unless(from.dataIo.listSnaps(oid), "ENOENT");
  let range = IntervalSet.of(0, from.size);
  if (listing === undefined) {
    const start = wasExecuted ? 0 : Math.min(spec.overlap, from.size);
    range = isWhole ? IntervalSet.of(start, from.size - start) : new IntervalSet();
  } else if (listing.seq < lastCopied(spec)) {
    // The head is that snapshot's: nobody has written since, and its copy may have been cut short.
    return new IntervalSet();
  }
  const pieces = objectToImage(from, objectNo);
  range.intersect(IntervalSet.from(pieces.map((piece) => [piece.imageOffset, piece.length])));
  return range;
}

/** The newest of the destination's snapshots that was the source's; 0: none. */
function lastCopied({ snapSeqs }: MigrationSpec): SnapId {
  return [...snapSeqs].sort((a, b) => compareSnapIds(a[0], b[0])).at(-1)?.[1] ?? 0n;
}

async function revertRange(
  reader: SnapshotReader,
  io: ImageIo,
  offset: number,
  length: number,
): Promise<void> {
  const wanted = assembled(await reader.read(offset, length), offset, length);
  const found = assembled(await io.fetch(offset, length, NOSNAP), offset, length);
  if (wanted.equals(found)) return;
  if (isAllZero(wanted)) await io.writeZeroes(offset, length);
  else await io.write(offset, wanted);
}
