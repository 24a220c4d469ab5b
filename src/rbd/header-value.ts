/**
 * Changing a value that a header keeps in its omap where no method of the class does what is needed. It is read,
 * and written if it is still the same.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import {
  blob,
  type Codec,
  decodeFromBytes,
  EMPTY,
  encodeToBytes,
  map,
  str,
} from "../encoding/index.ts";
import {
  CMPXATTR_OP,
  type OsdOp,
  opOmapCmp,
  opOmapGetValsByKeys,
  opOmapSetVals,
} from "../messages/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { isErrno } from "./errors.ts";

const Entries = map(str, blob);

/**
 * @param change undefined: it stays as it is
 * @param others ops of the same request, which is made in any case where there are some
 */
export async function changeHeaderValue<T>(
  io: IoCtx,
  headerOid: string,
  { key, codec }: { readonly key: string; readonly codec: Codec<T> },
  change: (value: T) => T | undefined,
  others: readonly OsdOp[] = [],
): Promise<void> {
  for (;;) {
    const { ops } = await io.read(headerOid, [opOmapGetValsByKeys([key])]);
    const known = decodeFromBytes(Entries, ops[0]?.data ?? EMPTY).get(key);
    const changed = known === undefined ? undefined : change(decodeFromBytes(codec, known));
    if (known === undefined || changed === undefined) {
      if (others.length > 0) await io.write(headerOid, [...others]);
      return;
    }
    const same = new Map([[key, { value: known, cmp: CMPXATTR_OP.EQ }]]);
    const next = new Map([[key, encodeToBytes(codec, changed)]]);
    try {
      await io.write(headerOid, [opOmapCmp(same), ...others, opOmapSetVals(next)]);
      return;
    } catch (error) {
      // Somebody else has changed it meanwhile.
      if (!isErrno(error, "ECANCELED")) throw error;
    }
  }
}
