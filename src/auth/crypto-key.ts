/**
 * CryptoKey: the shared secrets of cephx, their text form, and "X encrypted under K".
 *
 * What a type of key does with its secret is its cipher's (cipher/): `aes` for every client there is,
 * `aes256k` for those of the newest releases. An `aes` key gives no integrity, so tickets, which we read
 * ourselves, are sealed with an AEAD whatever the key (cephx/ticket.ts).
 * ceph: src/auth/Crypto.cc, src/auth/cephx/CephxProtocol.h (encode_encrypt, decode_decrypt)
 */

import { timingSafeEqual } from "node:crypto";
import { must, type Random } from "../base/index.ts";
import { type Codec, DecodeError, encodeToBytes, Reader, type Writer } from "../encoding/index.ts";
import { Utime, utimeFromMs } from "../types/index.ts";
import { aes } from "./cipher/aes.ts";
import { aes256k } from "./cipher/aes256k.ts";
import type { Cipher, Sealing } from "./cipher/cipher.ts";
import { readEnvelope, writeEnvelope } from "./cipher/envelope.ts";

const CIPHERS: readonly Cipher[] = [aes, aes256k];
/** What keys are of unless they are asked for otherwise: what every client speaks. */
export const DEFAULT_KEY_TYPE = aes.type;
/** Longer secrets do not exist. */
const SECRET_LEN_MAX = 256;
/** A key's text form, base64 with nothing around it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export interface CryptoKey {
  /** That of one of the ciphers. */
  readonly type: number;
  readonly created: Utime;
  /** As many bytes as the cipher's keys have, or more. */
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
    const cipher = CIPHERS.find((c) => c.type === type);
    if (cipher === undefined) throw r.fail(`key of type ${type}`);
    if (length < cipher.secretLen || length > SECRET_LEN_MAX) {
      throw r.fail(`secret of ${length} bytes`);
    }
    return { type, created, secret: Uint8Array.from(r.view(length)) };
  },
};

/** Names of the types of keys, as `--key-type` takes them. */
export const KEY_TYPES: readonly string[] = CIPHERS.map(({ name }) => name);

/** The type that a name stands for. */
export function keyTypeOf(name: string): number | undefined {
  return CIPHERS.find((cipher) => cipher.name === name.toLowerCase())?.type;
}

/** The name of a type that there is. */
export function keyTypeName(type: number): string {
  return cipherOf(type).name;
}

function cipherOf(type: number): Cipher {
  return must(
    CIPHERS.find((cipher) => cipher.type === type),
    `cipher of type ${type}`,
  );
}

/** A new random key, stamped with `nowMs` (milliseconds since 1970). */
export function generateKey(random: Random, nowMs: number, type = DEFAULT_KEY_TYPE): CryptoKey {
  const secret = random.bytes(cipherOf(type).secretLen);
  return { type, created: utimeFromMs(nowMs), secret };
}

/** The text of keyrings and `ceph auth get-key`. */
export function formatKey(key: CryptoKey): string {
  return Buffer.from(encodeToBytes(CryptoKey, key)).toString("base64");
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

/** `value` encrypted under `key`: the ciphertext alone, without the length that usually precedes it. */
export function encrypt<T>(codec: Codec<T>, value: T, key: CryptoKey, sealing: Sealing): Buffer {
  const plain = writeEnvelope((w) => codec.encode(w, value));
  return cipherOf(key.type).encrypt(key.secret, plain, sealing);
}

/**
 * Decrypts what `encrypt` made. Undefined if it was made under another key or usage, does not decode, or
 * has bytes left over (upstream ignores a tail; no peer sends one, and without a MAC we take nothing on
 * trust).
 */
export function decrypt<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  key: CryptoKey,
  usage: number,
): T | undefined {
  const plain = cipherOf(key.type).decrypt(key.secret, bytes, usage);
  if (plain === undefined) return undefined;
  const r = new Reader(plain);
  try {
    readEnvelope(r);
    const value = codec.decode(r);
    return r.remaining === 0 ? value : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Appends `value` encrypted under `key`, with its u32 length. */
export function writeEncrypted<T>(
  w: Writer,
  codec: Codec<T>,
  value: T,
  key: CryptoKey,
  sealing: Sealing,
): void {
  w.blob(encrypt(codec, value, key, sealing));
}

/** The 64-bit words of the cipher's proof combined by XOR; what is left over falls out. */
export function proofOf<T>(codec: Codec<T>, challenges: T, key: CryptoKey): bigint {
  const bytes = cipherOf(key.type).proof(key.secret, encodeToBytes(codec, challenges));
  let proof = 0n;
  for (let at = 0; at + 8 <= bytes.length; at += 8) proof ^= bytes.readBigUInt64LE(at);
  return proof;
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
