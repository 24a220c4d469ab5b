/**
 * Keys and values that users keep with an image, and with a pool; those that begin with "conf_" are settings
 * of librbd. Keys and values are byte strings.
 * ceph: src/librbd/operation/MetadataSetRequest.cc, src/librbd/api/PoolMetadata.cc
 */

import { byteStringOf, bytesOf } from "../encoding/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { HEADER } from "./calls.ts";
import { unless } from "./errors.ts";
import { RBD_INFO } from "./names.ts";

const PAGE = 64;

/**
 * In the order of their keys.
 * @param oid of an image's header; `POOL_METADATA` for a pool's
 */
export async function listMetadata(io: IoCtx, oid: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await unless(io.query(oid, HEADER.listMetadata, args), "ENOENT");
    for (const [key, value] of page ?? []) {
      all.set(key, byteStringOf(value));
      startAfter = key;
    }
    if (page === undefined || page.size < PAGE) return all;
  }
}

/** @throws CephError ENOENT: no such key */
export async function getMetadata(io: IoCtx, oid: string, key: string): Promise<string> {
  return byteStringOf(await io.query(oid, HEADER.getMetadata, key));
}

/** @param value undefined: removes the key @throws CephError ENOENT: there is none to remove */
export async function changeMetadata(
  io: IoCtx,
  oid: string,
  key: string,
  value: string | undefined,
): Promise<void> {
  if (value === undefined) {
    // The class does not mind a key that is not there, and users do.
    await getMetadata(io, oid, key);
    await io.execute(oid, HEADER.removeMetadata, key);
  } else {
    await io.execute(oid, HEADER.setMetadata, new Map([[key, bytesOf(value)]]));
  }
}

/** The object that a pool's are kept in. */
export const POOL_METADATA = RBD_INFO;
