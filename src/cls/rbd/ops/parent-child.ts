/** Arguments of the clone methods, old and new. ceph: src/cls/rbd/cls_rbd_client.cc */

import { bool, record, s64n, str, u64, u64n } from "../../../encoding/index.ts";
import { tail } from "../../argument.ts";
import { ChildImageSpec, ParentImageSpec } from "../types.ts";

/** compat: the form of before namespaces, also the answer of get_parent and the key in rbd_children. */
export const ParentKey = record("parent key", { poolId: s64n, imageId: str, snapId: u64 });
export const LegacyParent = record("set_parent", {
  poolId: s64n,
  imageId: str,
  snapId: u64,
  overlap: u64n,
});
export const ParentAttachArgs = record("parent_attach", {
  parent: ParentImageSpec,
  /** Bytes of the parent snapshot. */
  overlap: u64n,
  reattach: tail(bool, false),
});
export const ParentChildArgs = record("add_child", {
  poolId: s64n,
  imageId: str,
  snapId: u64,
  childId: str,
});
export const ChildArgs = record("child_attach", { snapId: u64, child: ChildImageSpec });
