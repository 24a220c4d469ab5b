/** Arguments and answers of the group methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { list, record, str, u64 } from "../../../encoding/index.ts";
import { GroupImageSpec, GroupImageStatus, GroupSnapshot } from "../types.ts";

export const GroupImageListArgs = record("group_image_list", {
  startAfter: GroupImageSpec,
  maxReturn: u64,
});
export const GroupImageListReply = list(GroupImageStatus);
export const GroupSnapListArgs = record("group_snap_list", {
  startAfter: GroupSnapshot,
  maxReturn: u64,
});
export const GroupSnapListReply = list(GroupSnapshot);
export const GroupSnapId = str;
