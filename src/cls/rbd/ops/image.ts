/**
 * Arguments and answers of the methods on an image's header and its rbd_id object.
 * ceph: src/cls/rbd/cls_rbd_client.cc
 */

import { bool, list, record, s64n, str, u8, u64, u64n } from "../../../encoding/index.ts";
import { NOSNAP } from "../../../types/index.ts";
import { rest, tail } from "../../argument.ts";

export const CreateArgs = record("create", {
  size: u64n,
  order: u8,
  features: u64,
  objectPrefix: str,
  /** -1: data lies in the pool of the header. */
  dataPoolId: tail(s64n, -1),
});
/** A snapshot, or NOSNAP for the head. */
export const SnapIdArgs = record("snap_id", { snapId: u64 });
export const GetFeaturesArgs = record("get_features", {
  /** compat: no longer looked at. */
  snapId: u64,
  readOnly: tail(bool, false),
});
export const GetFeaturesReply = record("get_features reply", { features: u64, incompatible: u64 });
export const MaskedArgs = record("masked", { value: u64, mask: u64 });
export const GetSizeReply = record("get_size reply", { order: u8, size: u64n });
export const SetSizeArgs = record("set_size", { size: u64n });
export const StripeArgs = record("stripe_unit_count", { stripeUnit: u64, stripeCount: u64 });
export const SetFlagsArgs = record("set_flags", {
  flags: u64,
  mask: u64,
  snapId: tail(u64, NOSNAP),
});
export const SnapContextReply = record("get_snapcontext reply", {
  snapSeq: u64,
  /** Newest first. */
  snaps: list(u64),
});
export const IdArgs = str;
export const Copyup = rest;
