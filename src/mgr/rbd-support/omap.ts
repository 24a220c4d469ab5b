/** Reading all that an object's omap has. */

import { blob, bool, decodeFromBytes, map, record, str } from "../../encoding/index.ts";
import { opOmapGetVals } from "../../messages/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import { isErrno } from "../../rbd/index.ts";

/** Entries read at a time. */
const PAGE = 128;
const OmapPage = record("omap_get_vals reply", { entries: map(str, blob), more: bool });

/** Keys are byte strings, in their order. An object that is not there has none. */
export async function readOmap(io: IoCtx, oid: string): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  for (let after = ""; ; ) {
    let page: { entries: Map<string, Uint8Array>; more: boolean };
    try {
      const { ops } = await io.read(oid, [opOmapGetVals(after, PAGE)]);
      page = decodeFromBytes(OmapPage, ops[0]?.data ?? new Uint8Array(0));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return all;
      throw error;
    }
    for (const [key, value] of page.entries) {
      all.set(key, value);
      after = key;
    }
    if (!page.more) return all;
  }
}
