/** What the log keeps, and arguments and answers. ceph: src/cls/log/cls_log_types.h, cls_log_ops.h */

import { blob, bool, type Infer, list, s32, since, str, struct } from "../../encoding/index.ts";
import { UTIME_ZERO, Utime } from "../../types/index.ts";

export const LogEntry = struct(
  "cls_log_entry",
  { v: 2 },
  {
    section: str,
    name: str,
    timestamp: Utime,
    data: blob,
    /** The entry's key; empty in an argument: to be made. */
    id: since(2, str, ""),
  },
);
export type LogEntry = Infer<typeof LogEntry>;

export const LogHeader = struct("cls_log_header", { v: 1 }, { maxMarker: str, maxTime: Utime });
export type LogHeader = Infer<typeof LogHeader>;
export const NO_HEADER: LogHeader = Object.freeze({ maxMarker: "", maxTime: UTIME_ZERO });

export const AddArgs = struct(
  "cls_log_add_op",
  { v: 2 },
  {
    entries: list(LogEntry),
    /** Key an entry that is older than the newest with the newest's time. */
    monotonic: since(2, bool, true),
  },
);
export const ListArgs = struct(
  "cls_log_list_op",
  { v: 1 },
  {
    from: Utime,
    /** Unless empty, list after this key instead. */
    marker: str,
    /** Not inclusive; no bound if it is before `from` or `from` is zero. */
    to: Utime,
    maxEntries: s32,
  },
);
export const ListReply = struct(
  "cls_log_list_ret",
  { v: 1 },
  { entries: list(LogEntry), marker: str, truncated: bool },
);
export const TrimArgs = struct(
  "cls_log_trim_op",
  { v: 2 },
  {
    from: Utime,
    /** Inclusive. */
    to: Utime,
    /** Unless empty, these keys count instead of the times. */
    fromMarker: since(2, str, ""),
    toMarker: since(2, str, ""),
  },
);
export const InfoArgs = struct("cls_log_info_op", { v: 1 }, {});
export const InfoReply = struct("cls_log_info_ret", { v: 1 }, { header: LogHeader });
