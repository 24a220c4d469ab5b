/**
 * Cipher: what a type of key does with its secret. The rest of cephx knows keys only by this.
 * ceph: src/auth/Crypto.h (CryptoHandler, CryptoKeyHandler)
 */

import type { Random } from "../../base/index.ts";

/** What an encryption needs beside the secret. A cipher takes of it what it has a use for. */
export interface Sealing {
  /** What the plaintext is for: under another number the same secret opens nothing. */
  readonly usage: number;
  readonly random: Random;
}

export interface Cipher {
  /** CEPH_CRYPTO_*: what a key says that it is. */
  readonly type: number;
  /** What `--key-type` calls it. */
  readonly name: string;
  /** Bytes of a new secret, and the fewest of any. */
  readonly secretLen: number;
  encrypt(secret: Uint8Array, plain: Uint8Array, sealing: Sealing): Buffer;
  /** Undefined if it was made under another secret or usage, or altered where the cipher can tell. */
  decrypt(secret: Uint8Array, bytes: Uint8Array, usage: number): Buffer | undefined;
  /** The bytes whose 64-bit words, combined by XOR, prove to a monitor that one has the secret. */
  proof(secret: Uint8Array, challenges: Uint8Array): Buffer;
}
