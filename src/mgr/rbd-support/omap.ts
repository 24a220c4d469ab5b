/** Reading all that an object's omap has. */

import { type IoCtx, omapEntries } from "../../rados/index.ts";
import { isErrno } from "../../rbd/index.ts";

/** Keys are byte strings, in their order. An object that is not there has none. */
export async function readOmap(io: IoCtx, oid: string): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  try {
    for await (const [key, value] of omapEntries(io, oid)) all.set(key, value);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  return all;
}
