/** Arguments and answers of the timeindex methods. ceph: src/cls/timeindex/cls_timeindex_ops.h */

import { blob, bool, list, s32, str, struct } from "../../encoding/index.ts";
import { Utime } from "../../types/index.ts";

export const TimeindexEntry = struct(
  "cls_timeindex_entry",
  { v: 1 },
  { time: Utime, extension: str, value: blob },
);
export const AddArgs = struct("cls_timeindex_add_op", { v: 1 }, { entries: list(TimeindexEntry) });
export const ListArgs = struct(
  "cls_timeindex_list_op",
  { v: 1 },
  {
    from: Utime,
    /** Unless empty, list after this key instead. */
    marker: str,
    /** Not inclusive; before `from`: no bound. */
    to: Utime,
    maxEntries: s32,
  },
);
export const ListReply = struct(
  "cls_timeindex_list_ret",
  { v: 1 },
  { entries: list(TimeindexEntry), marker: str, truncated: bool },
);
export const TrimArgs = struct(
  "cls_timeindex_trim_op",
  { v: 1 },
  {
    from: Utime,
    /** Inclusive. */
    to: Utime,
    /** Unless empty, these keys count instead of the times. */
    fromMarker: str,
    toMarker: str,
  },
);
