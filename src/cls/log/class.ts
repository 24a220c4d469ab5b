/**
 * The log class: entries by time, with the newest time and key in the omap's header.
 * ceph: src/cls/log/cls_log.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { encodeToBytes, type Infer } from "../../encoding/index.ts";
import { compareUtime, type Utime } from "../../types/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";
import { decodeStored, writeKey } from "../omap.ts";
import { compareToBound, TIME_KEY_PREFIX, timeKey } from "../time-key.ts";
import {
  AddArgs,
  InfoArgs,
  InfoReply,
  ListArgs,
  ListReply,
  LogEntry,
  LogHeader,
  NO_HEADER,
  TrimArgs,
} from "./ops.ts";

export const logClass = defineClass("log", {
  add: method("rw", AddArgs, none, add),
  list: method("r", ListArgs, ListReply, list),
  trim: method("rw", TrimArgs, none, trim),
  info: method("r", InfoArgs, InfoReply, (context) => {
    const header = readHeader(context);
    return isFailure(header) ? header : { header };
  }),
});

/** Most entries listed in one call. */
const ENTRIES_MAX = 1000;

/** compat: one that does not decode is as good as none. */
function readHeader(context: ClassContext): Result<LogHeader> {
  const bytes = context.omapHeader();
  if (isFailure(bytes)) return bytes;
  const header = decodeStored(LogHeader, bytes);
  return bytes.length === 0 || isFailure(header) ? NO_HEADER : header;
}

function add(context: ClassContext, args: Infer<typeof AddArgs>): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  let { maxMarker, maxTime } = header;
  for (const entry of args.entries) {
    const age = compareUtime(entry.timestamp, maxTime);
    if (age > 0) maxTime = entry.timestamp;
    const time = age < 0 && args.monotonic ? maxTime : entry.timestamp;
    const id = entry.id === "" ? newId(context, time) : entry.id;
    if (id > maxMarker) maxMarker = id;
    const written = writeKey(context, id, LogEntry, { ...entry, id });
    if (isFailure(written)) return written;
  }
  return context.omapSetHeader(encodeToBytes(LogHeader, { maxMarker, maxTime }));
}

/** Entries of one moment stand in the order they came in. */
function newId(context: ClassContext, time: Utime): string {
  return `${timeKey(time)}${context.version}.${context.opsSoFar}`;
}

function list(
  context: ClassContext,
  { from, marker, to, maxEntries }: Infer<typeof ListArgs>,
): Result<Infer<typeof ListReply>> {
  const bounded = (from.sec !== 0 || from.nsec !== 0) && compareUtime(to, from) >= 0;
  const bound = bounded ? timeKey(to) : undefined;
  const max = maxEntries <= 0 ? ENTRIES_MAX : Math.min(maxEntries, ENTRIES_MAX);
  const page = context.omapList(marker === "" ? timeKey(from) : marker, TIME_KEY_PREFIX, max);
  if (isFailure(page)) return page;
  const entries: LogEntry[] = [];
  let last = "";
  for (const [key, bytes] of page.entries) {
    last = key;
    if (bound !== undefined && compareToBound(key, bound) >= 0) {
      return { entries, marker: last, truncated: false };
    }
    const entry = decodeStored(LogEntry, bytes);
    if (isFailure(entry)) context.log("log entry does not decode", { key });
    else entries.push(entry);
  }
  return { entries, marker: last, truncated: page.more };
}

/** ENODATA: nothing in the range; a client repeats the call until then. */
function trim(context: ClassContext, args: Infer<typeof TrimArgs>): Result<void> {
  const from = args.fromMarker === "" ? timeKey(args.from) : args.fromMarker;
  const end = args.toMarker === "" ? timeKey(nextMicrosecond(args.to)) : `${args.toMarker}\0`;
  const page = context.omapList(from, "", 1);
  if (isFailure(page)) return page;
  const first = page.entries[0]?.[0];
  if (first === undefined || end < first) return fail("ENODATA");
  return context.omapRemoveRange(first, end);
}

function nextMicrosecond({ sec, nsec }: Utime): Utime {
  const next = nsec + 1000;
  return { sec: sec + Math.floor(next / 1_000_000_000), nsec: next % 1_000_000_000 };
}
