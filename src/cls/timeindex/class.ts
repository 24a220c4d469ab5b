/**
 * The timeindex class: values by time, and a name for those of one moment.
 * ceph: src/cls/timeindex/cls_timeindex.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import type { Infer } from "../../encoding/index.ts";
import { compareUtime, type Utime } from "../../types/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";
import { compareToBound, TIME_KEY_PREFIX, timeKey } from "../time-key.ts";
import { AddArgs, ListArgs, ListReply, type TimeindexEntry, TrimArgs } from "./ops.ts";

type TimeindexEntry = Infer<typeof TimeindexEntry>;

export const timeindexClass = defineClass("timeindex", {
  add: method("rw", AddArgs, none, (context, { entries }) => {
    if (entries.length === 0) return;
    return context.omapSet(
      entries.map((e) => [timeKey(e.time) + e.extension, Uint8Array.from(e.value)]),
    );
  }),
  list: method("r", ListArgs, ListReply, list),
  trim: method("rw", TrimArgs, none, trim),
});

/** Most entries listed or trimmed in one call. */
const ENTRIES_MAX = 1000;

function list(
  context: ClassContext,
  { from, marker, to, maxEntries }: Infer<typeof ListArgs>,
): Result<Infer<typeof ListReply>> {
  const bound = compareUtime(to, from) >= 0 ? timeKey(to) : undefined;
  const max = maxEntries < 0 ? ENTRIES_MAX : Math.min(maxEntries, ENTRIES_MAX);
  const page = context.omapList(marker === "" ? timeKey(from) : marker, TIME_KEY_PREFIX, max);
  if (isFailure(page)) return page;
  const entries: TimeindexEntry[] = [];
  let last = "";
  for (const [key, value] of page.entries) {
    if (bound !== undefined && compareToBound(key, bound) >= 0) {
      return { entries, marker: last, truncated: false };
    }
    entries.push({ ...parseKey(key), value });
    last = key;
  }
  return { entries, marker: last, truncated: page.more };
}

/** compat: the microseconds of the key come back as nanoseconds, and a name ends at a space. */
function parseKey(key: string): { time: Utime; extension: string } {
  const found = /^1_\s*(\d+)\.\s*(\d+)_\s*(\S{0,255})/.exec(key);
  const [, sec = "0", nsec = "0", extension = ""] = found ?? [];
  return { time: { sec: Number(sec), nsec: Number(nsec) }, extension };
}

/** ENODATA: nothing in the range. One call removes what it can; clients repeat it until then. */
function trim(context: ClassContext, args: Infer<typeof TrimArgs>): Result<void> {
  const from = args.fromMarker === "" ? timeKey(args.from) : args.fromMarker;
  const to = args.toMarker === "" ? timeKey(args.to) : args.toMarker;
  const page = context.omapList(from, TIME_KEY_PREFIX, ENTRIES_MAX);
  if (isFailure(page)) return page;
  const past = page.entries.findIndex(([key]) => compareToBound(key, to) > 0);
  const keys = page.entries.slice(0, past < 0 ? undefined : past).map(([key]) => key);
  return keys.length === 0 ? fail("ENODATA") : context.omapRemove(keys);
}
