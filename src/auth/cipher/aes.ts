/**
 * Key type `aes`: AES-128-CBC with a fixed initialisation vector, as every release of Ceph has it.
 *
 * There is no MAC: the only check is the magic number in the first block. So nothing here may be trusted
 * for integrity beyond "the first block was made by someone who has the key".
 * ceph: src/auth/Crypto.cc (CryptoAES)
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Cipher } from "./cipher.ts";
import { writeEnvelope } from "./envelope.ts";

const KEY_LEN = 16;
const BLOCK_LEN = 16;
/** CEPH_AES_IV.  ceph: src/include/ceph_fs.h */
const IV = Buffer.from("cephsageyudagreg", "latin1");

/** Upstream uses the first 16 bytes of whatever is there. */
function keyOf(secret: Uint8Array): Uint8Array {
  return secret.subarray(0, KEY_LEN);
}

function encrypt(secret: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-128-cbc", keyOf(secret), IV);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

export const aes: Cipher = {
  /** CEPH_CRYPTO_AES.  ceph: src/include/ceph_fs.h */
  type: 1,
  name: "aes",
  secretLen: KEY_LEN,
  encrypt,
  decrypt(secret, bytes) {
    if (bytes.length === 0 || bytes.length % BLOCK_LEN !== 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", keyOf(secret), IV);
    try {
      return Buffer.concat([decipher.update(bytes), decipher.final()]);
    } catch {
      return undefined; // bad padding: another key, or altered
    }
  },
  /** The challenges encrypted, with the length in front that encrypted things have. */
  proof(secret, challenges) {
    const ciphertext = encrypt(
      secret,
      writeEnvelope((w) => w.bytes(challenges)),
    );
    const framed = Buffer.alloc(4 + ciphertext.length);
    framed.writeUInt32LE(ciphertext.length, 0);
    framed.set(ciphertext, 4);
    return framed;
  },
};
