/** Arguments of the methods on data objects. ceph: src/cls/rbd/cls_rbd_client.cc */

import { blob, bool, map, record, u8, u64, u64n } from "../../../encoding/index.ts";
import { rest } from "../../argument.ts";

/** The data itself, no length before it. */
export const CopyupArgs = rest;
export const SparseCopyupArgs = record("sparse_copyup", {
  /** Lengths by offset; their bytes lie in `data` one after the other. */
  extents: map(u64n, u64n),
  data: blob,
});
/** Bytes of the smallest zero block worth a hole. */
export const SparsifyArgs = record("sparsify", { sparseSize: u64n, removeEmpty: bool });
export const AssertSnapcSeqArgs = record("assert_snapc_seq", { snapcSeq: u64, state: u8 });
