/**
 * The header of a format 1 image, as far as it is no list of snapshots: the first bytes of the object <name>.rbd.
 *
 *   40 text; 24 block name, ended by a zero byte; 4 signature; 8 version; u8 order, crypt, comp, unused;
 *   u64 image size; u64 snap_seq; u32 snap_count; u32 reserved; u64 snap_names_len
 * ceph: src/include/rbd_types.h rbd_obj_header_ondisk, src/librbd/internal.cc init_rbd_header
 */

import { byteStringOf, bytesOf, Reader, Writer } from "../../../encoding/index.ts";

export const HEADER_TEXT = "<<< Rados Block Device Image >>>\n";
export const MIGRATE_HEADER_TEXT = "<<< Migrating RBD Image      >>>\n";

const TEXT_BYTES = 40;
const BLOCK_NAME_BYTES = 24;
const SIGNATURE = "RBD\0";
const VERSION = "001.005\0";
const ORDER_OFFSET = 76;
export const SIZE_OFFSET = 80;
export const SEQ_OFFSET = 88;
export const HEADER_BYTES = 112;

export interface Format1Facts {
  /** Of the data objects' names: `rb.0.1025.6b8b4567`. */
  readonly objectPrefix: string;
  /** log2 of the bytes of an object. */
  readonly order: number;
  /** Bytes. */
  readonly size: number;
}

/** Of a new image, which has no snapshots. */
export function encodeFormat1Header({ objectPrefix, order, size }: Format1Facts): Uint8Array {
  const w = new Writer();
  w.bytes(padded(HEADER_TEXT, TEXT_BYTES));
  w.bytes(padded(objectPrefix, BLOCK_NAME_BYTES));
  w.bytes(bytesOf(SIGNATURE + VERSION));
  w.u8(order);
  w.bytes(new Uint8Array(3)); // neither encrypted nor compressed
  w.u64n(size);
  w.bytes(new Uint8Array(HEADER_BYTES - SEQ_OFFSET));
  return w.finish();
}

/**
 * @returns "short": less than a header; "unknown": another text, as that of another object would be;
 *   `isMigrating`: it is the source of a migration
 */
export function decodeFormat1Header(
  bytes: Uint8Array,
): (Format1Facts & { readonly isMigrating: boolean }) | "short" | "unknown" {
  if (bytes.length < HEADER_BYTES) return "short";
  // The zero byte after the text counts.
  const text = byteStringOf(bytes.subarray(0, HEADER_TEXT.length + 1));
  const isMigrating = text === `${MIGRATE_HEADER_TEXT}\0`;
  if (!isMigrating && text !== `${HEADER_TEXT}\0`) return "unknown";
  const blockName = byteStringOf(bytes.subarray(TEXT_BYTES, TEXT_BYTES + BLOCK_NAME_BYTES));
  return {
    objectPrefix: blockName.split("\0")[0] ?? "",
    order: bytes[ORDER_OFFSET] ?? 0,
    size: new Reader(bytes, SIZE_OFFSET).u64n(),
    isMigrating,
  };
}

function padded(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(bytesOf(text));
  return bytes;
}
