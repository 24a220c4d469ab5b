/**
 * Ops on a PG, not on an object: listings of its objects, and of what a scrub has found.
 * ceph: src/osd/PrimaryLogPG.cc do_pg_op, do_scrub_ls; src/common/scrub_types.h
 */

import { ERRNO } from "../../base/index.ts";
import { decodeFromBytes, EMPTY, str, struct, u32, u64 } from "../../encoding/index.ts";
import { OSD_OP, type OsdOp } from "../../messages/index.ts";
import type { ObjectStore } from "../../store/index.ts";
import { type ListingPage, type ListingPlace, listPg } from "./pgls.ts";

const ScrubLsArgument = struct(
  "scrub_ls_arg_t",
  { v: 1, compat: 1 },
  {
    /** 0, or the PG's interval as an earlier page told it. */
    interval: u32,
    snapsets: u32,
    afterName: str,
    afterNspace: str,
    afterSnap: u64,
    max: u64,
  },
);

/**
 * Objects that a scrub has found to be inconsistent. None has run: damage is found by reading, and shown by
 * `health detail`. Upstream says so of a PG that it has not scrubbed since it came up.
 */
function listScrubErrors(op: OsdOp): ListingPage {
  decodeFromBytes(ScrubLsArgument, op.indata);
  return { result: -ERRNO.ENOENT, out: EMPTY };
}

export function runPgOp(store: ObjectStore, where: ListingPlace, op: OsdOp): ListingPage {
  return op.code === OSD_OP.SCRUBLS ? listScrubErrors(op) : listPg(store, where, op);
}
