/** The encoding room: bytes on the wire and on disk, Ceph's little-endian way. */
export { type BufferList, bytesEqual, EMPTY, flatten, listLength, slice } from "./buffer-list.ts";
export {
  byteString,
  byteStringOf,
  bytesOf,
  compareBytes,
  isByteString,
  nameBytes,
  nameText,
  printable,
  textOf,
} from "./byte-string.ts";
export { type Codec, decodeFromBytes, encodeToBytes, type Infer } from "./codec.ts";
export {
  crc32c,
  crc32cCombine,
  crc32cTable,
  crc32cWithSums,
  crc32cZeros,
  SUM_BLOCK,
  ZerosShift,
} from "./crc32c.ts";
export {
  formatDouble,
  type Json,
  type JsonObject,
  renderJson,
  renderJsonPretty,
} from "./formatter.ts";
export {
  blob,
  bool,
  boxed,
  byKey,
  bytes,
  type Compare,
  f32,
  f64,
  list,
  map,
  naturalOrder,
  optional,
  pairs,
  s8,
  s16,
  s32,
  s64,
  s64n,
  set,
  str,
  u8,
  u16,
  u32,
  u64,
  u64n,
} from "./primitives.ts";
export { DecodeError, Reader } from "./reader.ts";
export {
  type Fixed,
  fixed,
  record,
  type Since,
  type StructVersion,
  since,
  struct,
  versionByte,
} from "./struct.ts";
export { Writer } from "./writer.ts";
export { renderXml, type XmlNames } from "./xml.ts";
export { writeXxhash64, xxhash32, xxhash64 } from "./xxhash.ts";
