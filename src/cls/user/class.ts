/**
 * The user class: which buckets a gateway's user has, and how much they hold together.
 * ceph: src/cls/user/cls_user.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { encodeToBytes, type Infer } from "../../encoding/index.ts";
import { compareUtime, type Utime } from "../../types/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";
import { decodeStored, isMissing, readKey, writeKey } from "../omap.ts";
import {
  GetHeaderArgs,
  GetHeaderReply,
  ListBucketsArgs,
  ListBucketsReply,
  RemoveBucketArgs,
  ResetPageArgs,
  ResetPageReply,
  SetBucketsArgs,
  TimeArgs,
} from "./ops.ts";
import { NO_HEADER, NO_STATS, UserBucketEntry, UserHeader, type UserStats } from "./types.ts";

export const userClass = defineClass("user", {
  set_buckets_info: method("rw", SetBucketsArgs, none, setBuckets),
  complete_stats_sync: method("rw", TimeArgs, none, (context, { time }) =>
    changeHeader(context, (header) => ({ ...header, lastSync: later(header.lastSync, time) })),
  ),
  remove_bucket: method("rw", RemoveBucketArgs, none, removeBucket),
  list_buckets: method("r", ListBucketsArgs, ListBucketsReply, listBuckets),
  get_header: method("r", GetHeaderArgs, GetHeaderReply, (context) => {
    const header = readHeader(context);
    return isFailure(header) ? header : { header };
  }),
  reset_user_stats: method("rw", TimeArgs, none, resetStats),
  reset_user_stats2: method("rw", ResetPageArgs, ResetPageReply, resetPage),
});

/** Most entries read in one go. */
const ENTRIES_MAX = 1000;

/** EIO: it does not decode. */
function readHeader(context: ClassContext): Result<UserHeader> {
  const bytes = context.omapHeader();
  if (isFailure(bytes)) return bytes;
  return bytes.length === 0 ? NO_HEADER : decodeStored(UserHeader, bytes);
}

function writeHeader(context: ClassContext, header: UserHeader): Result<void> {
  return context.omapSetHeader(encodeToBytes(UserHeader, header));
}

function changeHeader(
  context: ClassContext,
  change: (header: UserHeader) => UserHeader,
): Result<void> {
  const header = readHeader(context);
  return isFailure(header) ? header : writeHeader(context, change(header));
}

function later(a: Utime, b: Utime): Utime {
  return compareUtime(a, b) < 0 ? b : a;
}

type Sizes = Pick<UserBucketEntry, "count" | "size" | "sizeRounded">;

/** Counts an entry in (1n) or out (-1n); the sums are 64 bits wide and wrap. */
function count(stats: UserStats, entry: Sizes, sign: 1n | -1n): UserStats {
  const sum = (a: bigint, b: bigint) => BigInt.asUintN(64, a + sign * b);
  return {
    entries: sum(stats.entries, entry.count),
    bytes: sum(stats.bytes, entry.size),
    bytesRounded: sum(stats.bytesRounded, entry.sizeRounded),
  };
}

/** ENOENT: no such bucket; EINVAL: no name; EIO: it does not decode. */
function readEntry(context: ClassContext, name: string): Result<UserBucketEntry> {
  return name === "" ? fail("EINVAL") : readKey(context, name, UserBucketEntry);
}

/** Adds buckets, or sets the sizes of those there are; keeps the sum. */
function setBuckets(context: ClassContext, args: Infer<typeof SetBucketsArgs>): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  let { stats } = header;
  for (const update of args.entries) {
    const old = readEntry(context, update.bucket.name);
    // Removed meanwhile.
    if (isMissing(old) && !args.add) continue;
    if (isFailure(old) && !isMissing(old)) return old;
    const known = isFailure(old) ? undefined : old;
    // compat: a new entry that says it is counted is taken at its word.
    const counted = known ?? update;
    if (counted.synced) stats = count(stats, counted, -1n);
    const entry = { ...merge(known, update, args.add), synced: true };
    const written = writeKey(context, update.bucket.name, UserBucketEntry, entry);
    if (isFailure(written)) return written;
    stats = count(stats, entry, 1n);
  }
  return writeHeader(context, {
    ...header,
    stats,
    lastUpdate: later(header.lastUpdate, args.time),
  });
}

/** A bucket added again keeps its sizes, for it may have been resharded or made anew. */
function merge(
  known: UserBucketEntry | undefined,
  update: UserBucketEntry,
  add: boolean,
): UserBucketEntry {
  if (known === undefined) return update;
  if (!add) {
    const { size, sizeRounded, count } = update;
    return { ...known, size, sizeRounded, count };
  }
  const bucket = { ...known.bucket, bucketId: update.bucket.bucketId };
  return { ...known, bucket, creationTime: update.creationTime };
}

/** A bucket that is not there is no failure. */
function removeBucket(
  context: ClassContext,
  { bucket }: Infer<typeof RemoveBucketArgs>,
): Result<void> {
  const header = readHeader(context);
  if (isFailure(header)) return header;
  const entry = readEntry(context, bucket.name);
  if (isFailure(entry)) return isMissing(entry) ? undefined : entry;
  const removed = context.omapRemove([bucket.name]);
  if (isFailure(removed) || !entry.synced) return removed;
  return writeHeader(context, { ...header, stats: count(header.stats, entry, -1n) });
}

function listBuckets(
  context: ClassContext,
  { marker, endMarker, maxEntries }: Infer<typeof ListBucketsArgs>,
): Result<Infer<typeof ListBucketsReply>> {
  const max = maxEntries < 0 ? ENTRIES_MAX : Math.min(maxEntries, ENTRIES_MAX);
  const page = context.omapList(marker, "", max);
  if (isFailure(page)) return page;
  const entries: UserBucketEntry[] = [];
  let last = "";
  for (const [key, bytes] of page.entries) {
    if (endMarker !== "" && endMarker <= key) return { entries, marker: "", truncated: false };
    last = key;
    const entry = decodeStored(UserBucketEntry, bytes);
    if (isFailure(entry)) context.log("bucket entry does not decode", { key });
    else entries.push(entry);
  }
  return { entries, marker: page.more ? last : "", truncated: page.more };
}

/** `before` and a page of entries. EIO: one does not decode. */
function sumPage(
  context: ClassContext,
  after: string,
  before: UserStats,
): Result<{ stats: UserStats; last: string; more: boolean }> {
  const page = context.omapList(after, "", ENTRIES_MAX);
  if (isFailure(page)) return page;
  let stats = before;
  for (const [, bytes] of page.entries) {
    const entry = decodeStored(UserBucketEntry, bytes);
    if (isFailure(entry)) return entry;
    stats = count(stats, entry, 1n);
  }
  return { stats, last: page.entries.at(-1)?.[0] ?? "", more: page.more };
}

/** Counts all buckets anew. */
function resetStats(context: ClassContext, { time }: Infer<typeof TimeArgs>): Result<void> {
  let stats = NO_STATS;
  for (let after = "", more = true; more; ) {
    const page = sumPage(context, after, stats);
    if (isFailure(page)) return page;
    ({ stats, last: after, more } = page);
  }
  return writeHeader(context, { ...NO_HEADER, stats, lastUpdate: time });
}

/** The same a page at a time. compat: the sum of the pages before is not added. */
function resetPage(
  context: ClassContext,
  { time, marker }: Infer<typeof ResetPageArgs>,
): Result<Infer<typeof ResetPageReply>> {
  const page = sumPage(context, marker, NO_STATS);
  if (isFailure(page)) return page;
  const { stats, last, more } = page;
  if (!more) {
    const written = writeHeader(context, { ...NO_HEADER, stats, lastUpdate: time });
    if (isFailure(written)) return written;
  }
  return { marker: last, stats, truncated: more };
}
