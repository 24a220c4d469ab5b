/** The images of a pool's namespace. ceph: src/librbd/api/Image.cc list_images_v2 */

import type { IoCtx } from "../rados/index.ts";
import { DIRECTORY } from "./calls.ts";
import { unless } from "./errors.ts";
import { RBD_DIRECTORY, RBD_MIRRORING } from "./names.ts";

const PAGE = 1024;

/** Ids by name. */
export async function listImages(io: IoCtx): Promise<Map<string, string>> {
  return await pages(io, RBD_DIRECTORY, DIRECTORY.list);
}

/** The ids that peers know images by, by image id. */
export async function listMirrored(io: IoCtx): Promise<Map<string, string>> {
  return await pages(io, RBD_MIRRORING, DIRECTORY.listMirrored);
}

async function pages(
  io: IoCtx,
  oid: string,
  call: typeof DIRECTORY.list,
): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await unless(io.query(oid, call, args), "ENOENT");
    for (const [key, value] of page ?? []) {
      all.set(key, value);
      startAfter = key;
    }
    if (page === undefined || page.size < PAGE) return all;
  }
}
