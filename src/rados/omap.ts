/**
 * Walking an object's omap: ordered keys with values, in pages. Keys are byte strings.
 * ceph: src/librados/IoCtxImpl.cc
 */

import { blob, bool, decodeFromBytes, map, record, str } from "../encoding/index.ts";
import { opOmapGetVals } from "../messages/index.ts";
import type { IoCtx, OpOptions } from "./io-ctx.ts";

/** Entries asked for in one request; an OSD may give fewer (osd_max_omap_entries_per_request). */
const PAGE = 1000;

const EntriesPage = record("omap_get_vals", { entries: map(str, blob), more: bool });

export interface OmapRange extends OpOptions {
  /** Keys behind this one, in the order of their bytes. @default "", all */
  readonly after?: string;
  /** Only keys that begin so. @default "", all */
  readonly prefix?: string;
  /** Entries a request. @default 1000 */
  readonly pageSize?: number;
}

/** Entries in the order of their keys; the object may change between two pages. */
export async function* omapEntries(
  io: IoCtx,
  oid: string,
  range: OmapRange = {},
): AsyncGenerator<[key: string, value: Uint8Array]> {
  const { after = "", pageSize = PAGE, prefix = "", ...options } = range;
  for (let last = after, more = true; more; ) {
    const { ops } = await io.read(oid, [opOmapGetVals(last, pageSize, prefix)], options);
    const page = decodeFromBytes(EntriesPage, ops[0]!.data);
    yield* page.entries;
    last = [...page.entries.keys()].at(-1) ?? last;
    // A page without entries can have nothing behind it that a further one would reach.
    more = page.more && page.entries.size > 0;
  }
}
