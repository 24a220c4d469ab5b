/**
 * The extent of an op, as upstream understands it.
 * ceph: src/osd/PrimaryLogPG.cc do_osd_ops ("munge -1 truncate to 0 truncate")
 */

import { extentOf, type OsdExtent, type OsdOp } from "../../messages/index.ts";

/** `truncateSize` of an op whose sender knows of no truncation: all bits set. */
const NO_TRUNCATION = Number.MAX_SAFE_INTEGER;

export function extentArgument(op: OsdOp): OsdExtent {
  const extent = extentOf(op);
  if (extent.truncateSeq === 1 && extent.truncateSize === NO_TRUNCATION) {
    extent.truncateSeq = 0;
    extent.truncateSize = 0;
  }
  return extent;
}
