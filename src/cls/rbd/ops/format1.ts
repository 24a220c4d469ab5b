/** Arguments and answers of the format 1 snapshot methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { list, record, str, u64 } from "../../../encoding/index.ts";

export const Format1AddArgs = record("snap_add", { name: str, snapId: u64 });
export const Format1RenameArgs = record("snap_rename", { snapId: u64, name: str });
export const Format1ListReply = record("snap_list reply", {
  snapSeq: u64,
  /** Newest first. */
  snaps: list(record("snap", { id: u64, imageSize: u64, name: str })),
});
