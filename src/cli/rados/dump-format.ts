/**
 * The file of `export` and `import`: a pool's objects, section by section.
 *
 *     super header  u32 magic, version, size of a section's header, of its footer; 16 bytes
 *     section       header {u32 type twice and a mark, s64 size}, the section's struct, footer {u32 mark};
 *                   no footer where the size is 0
 *
 * In order: POOL_BEGIN, then for each object OBJECT_BEGIN, DATA…, ATTRS, OMAP_HDR, OMAP…, OBJECT_END, then
 * POOL_END. An export of one group by ceph-objectstore-tool begins with PG_BEGIN instead.
 * ceph: src/tools/RadosDump.h, src/tools/rados/PoolDump.cc
 */

import {
  blob,
  type Codec,
  decodeFromBytes,
  encodeToBytes,
  map,
  record,
  s8,
  s64n,
  since,
  str,
  struct,
  u32,
  u64,
  u64n,
} from "../../encoding/index.ts";
import { HObject } from "../../types/index.ts";

export const SECTION = {
  PG_BEGIN: 1,
  PG_END: 2,
  OBJECT_BEGIN: 3,
  OBJECT_END: 4,
  DATA: 5,
  ATTRS: 6,
  OMAP_HDR: 7,
  OMAP: 8,
  PG_METADATA: 9,
  POOL_BEGIN: 10,
  POOL_END: 11,
} as const;
/** Types from here on are unknown, and may be passed over. */
export const SECTION_UNKNOWN = 12;

const SHORT_MAGIC = 0xffce;
export const SUPER_MAGIC = ((SHORT_MAGIC << 16) | SHORT_MAGIC) >>> 0;
const END_MAGIC = ((0xecff << 16) | SHORT_MAGIC) >>> 0;
/** 2: the group's superblock is in PG_BEGIN. */
export const SUPER_VERSION = 2;

export const SuperHeader = record("super_header", {
  magic: u32,
  version: u32,
  headerSize: u32,
  footerSize: u32,
});
export const SUPER_BYTES = 16;

const SectionHeader = struct("header", { v: 1 }, { mark: u32, size: s64n });
const SectionFooter = struct("footer", { v: 1 }, { magic: u32 });
const HEADER_BYTES = 18;
const FOOTER_BYTES = 10;

/** No generation: the object is not one of an erasure-coded pool's past. */
export const NO_GENERATION = 0xffff_ffff_ffff_ffffn;
export const NO_SHARD = -1;

export const ObjectBegin = struct(
  "object_begin",
  { v: 3 },
  {
    hoid: HObject,
    generation: since(2, u64, NO_GENERATION),
    shard: since(2, s8, NO_SHARD),
    /** An object_info_t, whose length is in itself: the rest of the struct. */
    info: since(3, restOfStruct(), new Uint8Array(0)),
  },
);

/** What nobody here looks into: bytes up to the struct's end. */
function restOfStruct(): Codec<Uint8Array> {
  return {
    name: "object_info_t",
    minSize: 0,
    encode: (w, x) => w.bytes(x),
    // The struct's own end passes over it.
    decode: () => new Uint8Array(0),
  };
}

/** object_info_t() as 16.2.15 encodes it: an export tells nothing in it, and an import looks at nothing. */
export const BLANK_OBJECT_INFO: Uint8Array = Buffer.from(
  "1108e200000004032100000000000000000000000000000000000000000000000000000000000000000000008006" +
    "031c0000000000000000000080ffffffff0000000000000000ffffffffffffffff00000000000000000000000000" +
    "00000000000000000000000000000002021500000000000000000000000000000000000000000000000000000000" +
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" +
    "0000000000000000000000000000000000000000ffffffffffffffff000000000000000000000000000000000000" +
    "0000",
  "hex",
);

export const DataSection = struct(
  "data_section",
  { v: 1 },
  { offset: u64n, length: u64n, data: blob },
);
/** User attributes have `_` before their names. */
export const AttrsSection = struct("attr_section", { v: 1 }, { attrs: map(str, blob) });
export const OmapHeaderSection = struct("omap_hdr_section", { v: 1 }, { header: blob });
export const OmapSection = struct("omap_section", { v: 1 }, { entries: map(str, blob) });

export function superHeader(): Uint8Array {
  return encodeToBytes(SuperHeader, {
    magic: SUPER_MAGIC,
    version: SUPER_VERSION,
    headerSize: HEADER_BYTES,
    footerSize: FOOTER_BYTES,
  });
}

function header(type: number, size: number): Uint8Array {
  const mark = ((type << 24) | (type << 16) | SHORT_MAGIC) >>> 0;
  return encodeToBytes(SectionHeader, { mark, size });
}

/** A section that says all by being there. */
export function bareSection(type: number): Uint8Array {
  return header(type, 0);
}

export function section<T>(type: number, codec: Codec<T>, value: T): Uint8Array {
  const body = encodeToBytes(codec, value);
  const footer = encodeToBytes(SectionFooter, { magic: END_MAGIC });
  return Buffer.concat([header(type, body.length), body, footer]);
}

export function readHeader(bytes: Uint8Array): { readonly type: number; readonly size: number } {
  const { mark, size } = decodeFromBytes(SectionHeader, bytes);
  return { type: mark >>> 24, size };
}

export function isFooter(bytes: Uint8Array): boolean {
  return decodeFromBytes(SectionFooter, bytes).magic === END_MAGIC;
}

/** `#-9223372036854775808:00000000:inner::thing:head#`. ceph: operator<<(ostream&, ghobject_t) */
export function formatDumped(hoid: HObject, snap: string): string {
  const escaped = (name: string) =>
    name.replaceAll(/[^ -~]|[%:/]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  const { pool, hash, nspace, key, oid } = hoid;
  const at = hash.toString(16).padStart(8, "0");
  return `#${pool}:${at}:${escaped(nspace)}:${escaped(key)}:${escaped(oid)}:${snap}#`;
}
