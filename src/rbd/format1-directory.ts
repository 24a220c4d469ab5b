/**
 * The images of format 1 of a pool: a trivial map in the data of the object `rbd_directory`, whose omap has those of
 * format 2. Namespaces have none.
 * ceph: src/librbd/api/Image.cc list_images, src/librbd/internal.cc tmap_set, tmap_rm, src/include/rados.h CEPH_OSD_TMAP_*
 */

import { blob, EMPTY, pairs, Reader, record, str, Writer } from "../encoding/index.ts";
import { opRead, opTmapUp } from "../messages/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { unless } from "./errors.ts";
import { RBD_DIRECTORY } from "./names.ts";

const Directory = record("rbd_directory", { header: blob, entries: pairs(str, blob) });

/** CEPH_OSD_TMAP_SET, CEPH_OSD_TMAP_RM. */
const COMMAND = { SET: 0x73, REMOVE: 0x72 } as const;

/** Names, in order. */
export async function listFormat1(io: IoCtx): Promise<string[]> {
  if (io.nspace !== "") return [];
  const reply = await unless(io.read(RBD_DIRECTORY, [opRead(0, 0)]), "ENOENT");
  const data = reply?.ops[0]?.data ?? EMPTY;
  if (data.length === 0) return [];
  return Directory.decode(new Reader(data)).entries.map(([name]) => name);
}

/** All or nothing. @throws CephError ENOENT: what is to be removed is not there */
export async function changeFormat1Directory(
  io: IoCtx,
  change: { readonly add?: string; readonly remove?: string },
): Promise<void> {
  const w = new Writer();
  if (change.add !== undefined) {
    w.u8(COMMAND.SET);
    str.encode(w, change.add);
    blob.encode(w, EMPTY);
  }
  if (change.remove !== undefined) {
    w.u8(COMMAND.REMOVE);
    str.encode(w, change.remove);
  }
  await io.write(RBD_DIRECTORY, [opTmapUp(w.finish())]);
}
