/**
 * Tags: who wrote a stretch of entries, in numbered classes. An image's journal has one class for each
 * primary; within a class, only the tags from the slowest client's on are needed, and one before.
 * ceph: src/cls/journal/cls_journal.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { type Infer, u64 } from "../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../objclass.ts";
import { decodeStored, isMissing, listKeys, MAX_KEYS_READ, removeKey, writeKey } from "../omap.ts";
import { TagCreateArgs, TagListArgs, TagListReply } from "./ops.ts";
import { CLIENT_PREFIX, clientKey, KEY, readField, TAG_PREFIX, tagKey } from "./stored.ts";
import { CLIENT_STATE, Client, type ObjectSetPosition, TAG_CLASS_NEW, Tag } from "./types.ts";

export const tagMethods = {
  get_next_tag_tid: method("r", none, u64, (context) => readField(context, KEY.NEXT_TAG_TID, u64)),
  get_tag: method("r", u64, Tag, (context, tid) => readField(context, tagKey(tid), Tag)),
  tag_create: method("rw", TagCreateArgs, none, create),
  tag_list: method("r", TagListArgs, TagListReply, list),
} satisfies Record<string, ClassMethod>;

/**
 * EEXIST: there is this tag; ESTALE: not the next number; EINVAL: a class that was never begun.
 * Prunes the tags that nobody needs any more.
 */
function create(context: ClassContext, args: Infer<typeof TagCreateArgs>): Result<void> {
  const { tid, data } = args;
  const old = context.omapGet(tagKey(tid));
  if (!isFailure(old)) return fail("EEXIST");
  if (!isMissing(old)) return old;
  const nextTid = readField(context, KEY.NEXT_TAG_TID, u64);
  if (isFailure(nextTid)) return nextTid;
  if (tid !== nextTid) return fail("ESTALE");
  const tagClass = takeClass(context, args.tagClass);
  if (isFailure(tagClass)) return tagClass;
  const expired = expireTags(context);
  if (isFailure(expired)) return expired;
  const counted = writeKey(context, KEY.NEXT_TAG_TID, u64, tid + 1n);
  if (isFailure(counted)) return counted;
  return writeKey(context, tagKey(tid), Tag, { tid, tagClass, data });
}

/** The class asked for, or a new one. */
function takeClass(context: ClassContext, wanted: bigint): Result<bigint> {
  const next = readField(context, KEY.NEXT_TAG_CLASS, u64);
  if (isFailure(next)) return next;
  if (wanted !== TAG_CLASS_NEW) return wanted < next ? wanted : fail("EINVAL");
  const counted = writeKey(context, KEY.NEXT_TAG_CLASS, u64, next + 1n);
  return isFailure(counted) ? counted : next;
}

/**
 * Drops, in every class, the tags older than the newest one that all clients have reached.
 * EIO: a client or tag that does not decode; EINVAL: a tag under another one's key.
 * @param without a client that is about to go and holds nothing back
 */
export function expireTags(context: ClassContext, without?: string): Result<void> {
  const needed = oldestNeeded(context, without);
  if (isFailure(needed)) return needed;
  if (needed === undefined) return;
  const oldest = oldestByClass(context, needed, true);
  if (isFailure(oldest)) return oldest;
  return walkTags(context, (tag) => {
    if (tag.tid < (oldest.get(tag.tagClass) ?? 0n)) {
      const removed = removeKey(context, tagKey(tag.tid));
      if (isFailure(removed)) return removed;
    }
    return tag.tid < needed;
  });
}

/** The oldest tag that a connected client has yet to leave; undefined while one has committed nothing. */
function oldestNeeded(
  context: ClassContext,
  without: string | undefined,
): Result<bigint | undefined> {
  const clients = listKeys(context, CLIENT_PREFIX, "", Number.POSITIVE_INFINITY);
  if (isFailure(clients)) return clients;
  let oldest: bigint | undefined;
  for (const [key, bytes] of clients) {
    // Not looked into: one that does not decode can go, too.
    if (without !== undefined && key === clientKey(without)) continue;
    const client = decodeStored(Client, bytes);
    if (isFailure(client)) return client;
    if (client.state === CLIENT_STATE.DISCONNECTED) continue;
    const tid = oldestTag(client.commitPosition);
    if (tid === undefined) return undefined;
    if (oldest === undefined || tid < oldest) oldest = tid;
  }
  return oldest;
}

function oldestTag({ objectPositions }: ObjectSetPosition): bigint | undefined {
  const tids = objectPositions.map((position) => position.tagTid);
  return tids.length === 0 ? undefined : tids.reduce((a, b) => (a < b ? a : b));
}

/** By class, the newest tag up to the first one at or past `needed`. */
function oldestByClass(
  context: ClassContext,
  needed: bigint,
  checkKeys = false,
): Result<Map<bigint, bigint>> {
  const out = new Map<bigint, bigint>();
  const walked = walkTags(context, (tag, key) => {
    if (checkKeys && key !== tagKey(tag.tid)) return fail("EINVAL");
    out.set(tag.tagClass, tag.tid);
    return tag.tid < needed;
  });
  return isFailure(walked) ? walked : out;
}

/**
 * Tags that the client still needs. ENOENT: no such client.
 * compat: with a maximum of 0 the first one may be listed.
 */
function list(context: ClassContext, args: Infer<typeof TagListArgs>): Result<Tag[]> {
  const client = readField(context, clientKey(args.clientId), Client);
  if (isFailure(client)) return client;
  const needed = oldestTag(client.commitPosition);
  const oldest = needed === undefined ? new Map() : oldestByClass(context, needed);
  if (isFailure(oldest)) return oldest;
  const out: Tag[] = [];
  const walked = walkTags(context, (tag) => {
    if (args.startAfter !== 0n && tag.tid <= args.startAfter) return true;
    const wanted = args.tagClass === undefined || args.tagClass === tag.tagClass;
    if (wanted && tag.tid >= (oldest.get(tag.tagClass) ?? 0n)) out.push(tag);
    return out.length < args.maxReturn;
  });
  return isFailure(walked) ? walked : out;
}

/** Visits tags by number until `visit` says false or fails. EIO: one does not decode. */
function walkTags(
  context: ClassContext,
  visit: (tag: Tag, key: string) => Result<boolean>,
): Result<void> {
  for (let last = TAG_PREFIX, more = true; more; ) {
    const page = context.omapList(last, TAG_PREFIX, MAX_KEYS_READ);
    if (isFailure(page)) return isMissing(page) ? undefined : page;
    for (const [key, bytes] of page.entries) {
      const tag = decodeStored(Tag, bytes);
      if (isFailure(tag)) return tag;
      const goOn = visit(tag, key);
      if (isFailure(goOn)) return goOn;
      if (!goOn) return;
      last = key;
    }
    more = page.more && page.entries.length > 0;
  }
}
