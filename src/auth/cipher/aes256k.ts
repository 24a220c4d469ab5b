/**
 * Key type `aes256k`: Kerberos' aes256-cts-hmac-sha384-192, in servers since 19.2.6 and 20.2.4.
 *
 *     16 bytes  confounder, random  } AES-256-CBC-CS3 under Ke,
 *     n bytes   the plaintext       } initialisation vector zero
 *     24 bytes  HMAC-SHA-384 under Ki of 16 zero bytes and the ciphertext
 *
 * Ke and Ki are made of the secret and the usage, so that what was encrypted for one purpose is nothing to
 * another. Every bit is covered by the HMAC.
 * ceph: src/auth/Crypto.cc (CryptoAES256KRB5), RFC 8009
 */

import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { Cipher } from "./cipher.ts";

const KEY_LEN = 32;
const BLOCK_LEN = 16;
const MAC_LEN = 24;
const IV = Buffer.alloc(BLOCK_LEN);
/** Last octet of the label that a key is derived with: for encryption, for integrity. */
const KE = 0xaa;
const KI = 0x55;

/** KDF-HMAC-SHA2: one round, as no key of this type is longer than its hash.  RFC 8009 section 3 */
function derive(secret: Uint8Array, usage: number, kind: number, length: number): Buffer {
  const input = Buffer.alloc(14);
  input.writeUInt32BE(1, 0);
  input.writeUInt32BE(usage, 4);
  input[8] = kind;
  input.writeUInt32BE(length * 8, 10);
  return createHmac("sha384", secret).update(input).digest().subarray(0, length);
}

function macOf(secret: Uint8Array, usage: number, ciphertext: Uint8Array): Buffer {
  const hmac = createHmac("sha384", derive(secret, usage, KI, MAC_LEN));
  return hmac.update(IV).update(ciphertext).digest().subarray(0, MAC_LEN);
}

/** CBC with ciphertext stealing: padded with zeros, the last two blocks exchanged, cut to length. */
function encryptCts(key: Uint8Array, plain: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil(plain.length / BLOCK_LEN) * BLOCK_LEN);
  padded.set(plain);
  const cipher = createCipheriv("aes-256-cbc", key, IV).setAutoPadding(false);
  const blocks = Buffer.concat([cipher.update(padded), cipher.final()]);
  const last = blocks.length - BLOCK_LEN;
  if (last === 0) return blocks;
  const before = blocks.subarray(last - BLOCK_LEN, last);
  const head = blocks.subarray(0, last - BLOCK_LEN);
  return Buffer.concat([head, blocks.subarray(last), before]).subarray(0, plain.length);
}

function decryptCts(key: Uint8Array, bytes: Uint8Array): Buffer {
  const blocks = Buffer.alloc(Math.ceil(bytes.length / BLOCK_LEN) * BLOCK_LEN);
  const last = blocks.length - BLOCK_LEN;
  if (last === 0) {
    blocks.set(bytes);
  } else {
    const swapped = bytes.subarray(last - BLOCK_LEN, last);
    const stolen = bytes.subarray(last);
    // The last block's padding was zero, so that its decryption tells the bytes that were cut off.
    const ecb = createDecipheriv("aes-256-ecb", key, null).setAutoPadding(false);
    const whole = Buffer.concat([ecb.update(swapped), ecb.final()]);
    whole.set(stolen);
    blocks.set(bytes.subarray(0, last - BLOCK_LEN));
    blocks.set(whole, last - BLOCK_LEN);
    blocks.set(swapped, last);
  }
  const decipher = createDecipheriv("aes-256-cbc", key, IV).setAutoPadding(false);
  return Buffer.concat([decipher.update(blocks), decipher.final()]).subarray(0, bytes.length);
}

export const aes256k: Cipher = {
  /** CEPH_CRYPTO_AES256KRB5.  ceph: src/include/ceph_fs.h */
  type: 2,
  name: "aes256k",
  secretLen: KEY_LEN,
  encrypt(secret, plain, { usage, random }) {
    const confounded = Buffer.concat([random.bytes(BLOCK_LEN), plain]);
    const ciphertext = encryptCts(derive(secret, usage, KE, KEY_LEN), confounded);
    return Buffer.concat([ciphertext, macOf(secret, usage, ciphertext)]);
  },
  decrypt(secret, bytes, usage) {
    const end = bytes.length - MAC_LEN;
    if (end < BLOCK_LEN) return undefined;
    const ciphertext = bytes.subarray(0, end);
    if (!timingSafeEqual(macOf(secret, usage, ciphertext), bytes.subarray(end))) return undefined;
    return decryptCts(derive(secret, usage, KE, KEY_LEN), ciphertext).subarray(BLOCK_LEN);
  },
  /** Encryption is different each time, so the proof is a hash. */
  proof: (secret, challenges) => createHmac("sha256", secret).update(challenges).digest(),
};
