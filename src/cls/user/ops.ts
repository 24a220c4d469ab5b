/** Arguments and answers of the user methods. ceph: src/cls/user/cls_user_ops.h */

import { bool, list, s32, since, str, struct } from "../../encoding/index.ts";
import { RealTime } from "../../types/index.ts";
import { UserBucket, UserBucketEntry, UserHeader, UserStats } from "./types.ts";

export const SetBucketsArgs = struct(
  "cls_user_set_buckets_op",
  { v: 1 },
  { entries: list(UserBucketEntry), add: bool, time: RealTime },
);
export const TimeArgs = struct("cls_user_complete_stats_sync_op", { v: 1 }, { time: RealTime });
export const RemoveBucketArgs = struct(
  "cls_user_remove_bucket_op",
  { v: 1 },
  { bucket: UserBucket },
);
export const ListBucketsArgs = struct(
  "cls_user_list_buckets_op",
  { v: 2 },
  { marker: str, maxEntries: s32, endMarker: since(2, str, "") },
);
export const ListBucketsReply = struct(
  "cls_user_list_buckets_ret",
  { v: 1 },
  { entries: list(UserBucketEntry), marker: str, truncated: bool },
);
export const GetHeaderArgs = struct("cls_user_get_header_op", { v: 1 }, {});
export const GetHeaderReply = struct("cls_user_get_header_ret", { v: 1 }, { header: UserHeader });
export const ResetPageArgs = struct(
  "cls_user_reset_stats2_op",
  { v: 1 },
  { time: RealTime, marker: str, stats: UserStats },
);
export const ResetPageReply = struct(
  "cls_user_reset_stats2_ret",
  { v: 1 },
  { marker: str, stats: UserStats, truncated: bool },
);
