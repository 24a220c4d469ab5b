/**
 * Image and pool metadata: free keys and values under metadata_<key>. Values are kept bare.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { isFailure, type Result } from "../../../base/index.ts";
import { blob, type Infer, str } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { listKeys, MAX_KEYS_READ } from "../../omap.ts";
import { MetadataEntries, PageArgs } from "../ops/directory.ts";

const PREFIX = "metadata_";

export const metadataMethods = {
  metadata_list: method("r", PageArgs, MetadataEntries, list),
  metadata_set: method("rw", MetadataEntries, none, (context, entries) =>
    // Values are views of the request, and the store keeps what it is given.
    context.omapSet([...entries].map(([key, value]) => [PREFIX + key, Uint8Array.from(value)])),
  ),
  metadata_get: method("r", str, blob, (context, key) => context.omapGet(PREFIX + key)),
  /** ENOENT: no object; a missing key is no failure. */
  metadata_remove: method("rw", str, none, (context, key) => context.omapRemove([PREFIX + key])),
} satisfies Record<string, ClassMethod>;

/** compat: a maximum of 0 means the default page. */
function list(
  context: ClassContext,
  { startAfter, maxReturn }: Infer<typeof PageArgs>,
): Result<Map<string, Uint8Array>> {
  const max = maxReturn === 0n ? MAX_KEYS_READ : maxReturn;
  const entries = listKeys(context, PREFIX, PREFIX + startAfter, max);
  if (isFailure(entries)) return entries;
  return new Map(entries.map(([key, value]) => [key.slice(PREFIX.length), value]));
}
