/** Arguments of the snapshot methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { record, str, u8, u64 } from "../../../encoding/index.ts";
import { tail } from "../../argument.ts";
import { SnapshotNamespace, USER_NAMESPACE } from "../types.ts";

export const SnapshotAddArgs = record("snapshot_add", {
  name: str,
  snapId: u64,
  namespace: tail(SnapshotNamespace, USER_NAMESPACE),
});
export const SnapshotRenameArgs = record("snapshot_rename", { snapId: u64, name: str });
/** All ones: no limit. */
export const SnapshotLimit = u64;
export const NO_SNAPSHOT_LIMIT = 0xffff_ffff_ffff_ffffn;
export const ProtectionArgs = record("set_protection_status", { snapId: u64, status: u8 });
