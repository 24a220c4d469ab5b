/**
 * Making a migration's destination smaller: what lies past its end is not to come back from the source when it
 * grows again. Upstream lets it.
 */

import { MigrationSpec } from "../../cls/rbd/types.ts";
import { blob, decodeFromBytes, EMPTY, encodeToBytes, map, str } from "../../encoding/index.ts";
import {
  CMPXATTR_OP,
  opOmapCmp,
  opOmapGetValsByKeys,
  opOmapSetVals,
} from "../../messages/index.ts";
import { callOp, type IoCtx } from "../../rados/index.ts";
import { HEADER } from "../calls.ts";
import { isErrno } from "../errors.ts";
import type { Image } from "../image.ts";

/** Of the header's omap.  ceph: src/cls/rbd/cls_rbd.cc image::set_migration */
const KEY = "migration";
const Entries = map(str, blob);

/** Sets the size in the header, and in one step how much the source shows. @param size bytes */
export async function setSize({ io, headerOid, migration }: Image, size: number): Promise<void> {
  const resize = callOp(HEADER.setSize, { size });
  for (;;) {
    const known = migration === undefined ? undefined : await readRaw(io, headerOid);
    const spec = known === undefined ? undefined : decodeFromBytes(MigrationSpec, known);
    if (known === undefined || spec === undefined || spec.overlap <= size) {
      await io.write(headerOid, [resize]);
      return;
    }
    const smaller = encodeToBytes(MigrationSpec, { ...spec, overlap: size });
    try {
      await io.write(headerOid, [
        opOmapCmp(new Map([[KEY, { value: known, cmp: CMPXATTR_OP.EQ }]])),
        resize,
        opOmapSetVals(new Map([[KEY, smaller]])),
      ]);
      return;
    } catch (error) {
      // Its state has changed meanwhile.
      if (!isErrno(error, "ECANCELED")) throw error;
    }
  }
}

async function readRaw(io: IoCtx, headerOid: string): Promise<Uint8Array | undefined> {
  const { ops } = await io.read(headerOid, [opOmapGetValsByKeys([KEY])]);
  return decodeFromBytes(Entries, ops[0]?.data ?? EMPTY).get(KEY);
}
