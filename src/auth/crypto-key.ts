/**
 * CryptoKey: the shared secrets of cephx, their text form, and "X encrypted under K".
 *
 * Encryption on the wire is what every Ceph client speaks: AES-128-CBC with a fixed IV and no MAC, the
 * only check being a magic number in the first block. So nothing here may be trusted for integrity beyond
 * "the first block was made by someone who has the key": tickets, which we read ourselves, use an AEAD
 * instead (cephx/ticket.ts).
 * ceph: src/auth/Crypto.cc, src/auth/cephx/CephxProtocol.h (encode_encrypt, decode_decrypt)
 */

import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import { assert, type Random } from "../base/index.ts";
import { type Codec, DecodeError, Reader, Writer } from "../encoding/index.ts";
import { Utime, utimeFromMs } from "../types/index.ts";

/** CEPH_CRYPTO_AES: AES-128.  ceph: src/include/ceph_fs.h */
export const CRYPTO_AES = 1;
/** Bytes of an AES-128 key. */
export const AES_KEY_LEN = 16;
/** Longer secrets do not exist; upstream uses the first 16 bytes of whatever is there. */
const SECRET_LEN_MAX = 256;
/** The fixed initialisation vector of CEPH_AES_IV.  ceph: src/include/ceph_fs.h */
const AES_IV = Buffer.from("cephsageyudagreg", "latin1");
/** AUTH_ENC_MAGIC: opens every plaintext, after one version byte. */
const ENC_MAGIC = 0xff009cad8826aa55n;
/** A key's text form, base64 with nothing around it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export interface CryptoKey {
  /** CRYPTO_AES is the only one. */
  readonly type: number;
  readonly created: Utime;
  /** 16 bytes. */
  readonly secret: Uint8Array;
}

/*
 * CryptoKey: u16 type; u32 sec, u32 nsec created; u16 length; the bytes.
 * The secret is copied: a key outlives the frame it came in.
 */
export const CryptoKey: Codec<CryptoKey> = {
  name: "CryptoKey",
  minSize: 12,
  encode(w, x) {
    w.u16(x.type);
    Utime.encode(w, x.created);
    w.u16(x.secret.length);
    w.bytes(x.secret);
  },
  decode(r) {
    const type = r.u16();
    const created = Utime.decode(r);
    const length = r.u16();
    if (type !== CRYPTO_AES) throw r.fail(`key of type ${type}`);
    if (length < AES_KEY_LEN || length > SECRET_LEN_MAX) throw r.fail(`secret of ${length} bytes`);
    return { type, created, secret: Uint8Array.from(r.view(length)) };
  },
};

/** A new random key, stamped with `nowMs` (milliseconds since 1970). */
export function generateKey(random: Random, nowMs: number): CryptoKey {
  return { type: CRYPTO_AES, created: utimeFromMs(nowMs), secret: random.bytes(AES_KEY_LEN) };
}

/** The text of keyrings and `ceph auth get-key`. */
export function formatKey(key: CryptoKey): string {
  const w = new Writer(12 + AES_KEY_LEN);
  CryptoKey.encode(w, key);
  return w.finish().toString("base64");
}

/** Reads a key's text form; undefined if it is not one. White space around it is ignored. */
export function parseKey(text: string): CryptoKey | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 2 * SECRET_LEN_MAX || !BASE64.test(trimmed)) return undefined;
  return decodeOr(CryptoKey, Buffer.from(trimmed, "base64"));
}

/** A value out of bytes we do not trust; undefined if they do not decode. */
export function decodeOr<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  try {
    return codec.decode(new Reader(bytes));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function aesKey(key: CryptoKey): Uint8Array {
  assert(key.type === CRYPTO_AES && key.secret.length >= AES_KEY_LEN, "not an AES-128 key");
  return key.secret.subarray(0, AES_KEY_LEN);
}

/** `value` encrypted under `key`: the ciphertext alone, without the length that usually precedes it. */
export function encrypt<T>(codec: Codec<T>, value: T, key: CryptoKey): Buffer {
  const w = new Writer();
  w.u8(1);
  w.u64(ENC_MAGIC);
  codec.encode(w, value);
  const cipher = createCipheriv("aes-128-cbc", aesKey(key), AES_IV);
  return Buffer.concat([cipher.update(w.finish()), cipher.final()]);
}

/**
 * Decrypts what `encrypt` made. Undefined if it was made under another key, does not decode, or has bytes
 * left over (upstream ignores a tail; no peer sends one, and without a MAC we take nothing on trust).
 */
export function decrypt<T>(codec: Codec<T>, bytes: Uint8Array, key: CryptoKey): T | undefined {
  if (bytes.length === 0 || bytes.length % 16 !== 0) return undefined;
  const decipher = createDecipheriv("aes-128-cbc", aesKey(key), AES_IV);
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
  } catch {
    return undefined; // bad padding: another key, or altered
  }
  const r = new Reader(plain);
  try {
    if (r.u8() !== 1 || r.u64() !== ENC_MAGIC) return undefined;
    const value = codec.decode(r);
    return r.remaining === 0 ? value : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Appends `value` encrypted under `key`, with its u32 length. */
export function writeEncrypted<T>(w: Writer, codec: Codec<T>, value: T, key: CryptoKey): void {
  w.blob(encrypt(codec, value, key));
}

/** Equal secrets? Takes the same time wherever they differ. */
export function secretsEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Equal 64-bit proofs? Takes the same time wherever they differ. */
export function proofsEqual(a: bigint, b: bigint): boolean {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, a), 0);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, b), 8);
  return timingSafeEqual(bytes.subarray(0, 8), bytes.subarray(8));
}
