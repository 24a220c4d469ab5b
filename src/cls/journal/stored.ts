/**
 * The keys of a journal's header object.
 * ceph: src/cls/journal/cls_journal.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import type { Codec } from "../../encoding/index.ts";
import type { ClassContext } from "../objclass.ts";
import { readKey } from "../omap.ts";

export const KEY = {
  ORDER: "order",
  SPLAY_WIDTH: "splay_width",
  POOL_ID: "pool_id",
  MINIMUM_SET: "minimum_set",
  ACTIVE_SET: "active_set",
  NEXT_TAG_TID: "next_tag_tid",
  NEXT_TAG_CLASS: "next_tag_class",
} as const;
export const CLIENT_PREFIX = "client_";
export const TAG_PREFIX = "tag_";

export function clientKey(id: string): string {
  return CLIENT_PREFIX + id;
}

/** 16 hexadecimal digits, so that the order of keys is that of numbers. */
export function tagKey(tid: bigint): string {
  return TAG_PREFIX + tid.toString(16).padStart(16, "0");
}

/** ENOENT: no such key; EINVAL: a value that does not decode. */
export function readField<T>(context: ClassContext, key: string, codec: Codec<T>): Result<T> {
  const value = readKey(context, key, codec);
  return isFailure(value) && value.errno === fail("EIO").errno ? fail("EINVAL") : value;
}
