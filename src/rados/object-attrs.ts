/**
 * Objects' attributes and their omap: ordered keys with values, read in pages. Names and keys are byte strings.
 * ceph: src/osdc/Objecter.h ObjectOperation; src/librados/IoCtxImpl.cc
 */

import { blob, bool, decodeFromBytes, map, record, set, str } from "../encoding/index.ts";
import {
  opGetXattr,
  opGetXattrs,
  opOmapGetHeader,
  opOmapGetKeys,
  opOmapGetVals,
  opOmapGetValsByKeys,
  opOmapRmKeys,
  opOmapSetVals,
  opRmXattr,
  opSetXattr,
} from "../messages/index.ts";
import type { IoCtx, OpOptions } from "./io-ctx.ts";

/** Entries asked for in one request; an OSD may give fewer (osd_max_omap_entries_per_request). */
const PAGE = 1000;

const Entries = map(str, blob);
const EntriesPage = record("omap_get_vals", { entries: Entries, more: bool });
const KeysPage = record("omap_get_keys", { keys: set(str), more: bool });

/** @throws CephError ENOENT, ENODATA if there is no such attribute */
export async function getXattr(
  io: IoCtx,
  oid: string,
  name: string,
  options: OpOptions = {},
): Promise<Uint8Array> {
  const { ops } = await io.read(oid, [opGetXattr(name)], options);
  return ops[0]!.data;
}

export async function getXattrs(
  io: IoCtx,
  oid: string,
  options: OpOptions = {},
): Promise<Map<string, Uint8Array>> {
  const { ops } = await io.read(oid, [opGetXattrs()], options);
  return decodeFromBytes(Entries, ops[0]!.data);
}

/** Makes the object if it is not there. */
export async function setXattr(
  io: IoCtx,
  oid: string,
  { name, value }: { name: string; value: Uint8Array },
  options: OpOptions = {},
): Promise<void> {
  await io.write(oid, [opSetXattr(name, value)], options);
}

/** @throws CephError ENOENT, ENODATA if there is no such attribute */
export async function removeXattr(
  io: IoCtx,
  oid: string,
  name: string,
  options: OpOptions = {},
): Promise<void> {
  await io.write(oid, [opRmXattr(name)], options);
}

export interface OmapRange extends OpOptions {
  /** Keys behind this one, in the order of their bytes. @default "", all */
  readonly after?: string;
  /** Entries a request. @default 1000 */
  readonly pageSize?: number;
}

/** Entries in the order of their keys; the object may change between two pages. */
export async function* omapEntries(
  io: IoCtx,
  oid: string,
  range: OmapRange & { prefix?: string } = {},
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

/** Keys alone, in order. */
export async function* omapKeys(
  io: IoCtx,
  oid: string,
  range: OmapRange = {},
): AsyncGenerator<string> {
  const { after = "", pageSize = PAGE, ...options } = range;
  for (let last = after, more = true; more; ) {
    const { ops } = await io.read(oid, [opOmapGetKeys(last, pageSize)], options);
    const page = decodeFromBytes(KeysPage, ops[0]!.data);
    yield* page.keys;
    last = [...page.keys].at(-1) ?? last;
    more = page.more && page.keys.size > 0;
  }
}

/** The values of those keys that are there. */
export async function omapGet(
  io: IoCtx,
  oid: string,
  keys: Iterable<string>,
  options: OpOptions = {},
): Promise<Map<string, Uint8Array>> {
  const { ops } = await io.read(oid, [opOmapGetValsByKeys(keys)], options);
  return decodeFromBytes(Entries, ops[0]!.data);
}

export async function omapHeader(
  io: IoCtx,
  oid: string,
  options: OpOptions = {},
): Promise<Uint8Array> {
  const { ops } = await io.read(oid, [opOmapGetHeader()], options);
  return ops[0]!.data;
}

/** Makes the object if it is not there. */
export async function omapSet(
  io: IoCtx,
  oid: string,
  entries: Map<string, Uint8Array>,
  options: OpOptions = {},
): Promise<void> {
  await io.write(oid, [opOmapSetVals(entries)], options);
}

/** Keys that are not there are no failure. @throws CephError ENOENT if the object is not there */
export async function omapRemove(
  io: IoCtx,
  oid: string,
  keys: Iterable<string>,
  options: OpOptions = {},
): Promise<void> {
  await io.write(oid, [opOmapRmKeys(keys)], options);
}
