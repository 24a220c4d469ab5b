/** aes256k: RFC 8009's own values, and that nothing but what was encrypted comes out. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { u64 } from "../../encoding/index.ts";
import { challengeProof } from "../cephx/protocol.ts";
import { decrypt, encrypt, generateKey } from "../crypto-key.ts";
import { aes256k } from "./aes256k.ts";

const hex = (text: string) => Buffer.from(text, "hex");

/** RFC 8009, appendix A, key and usage of the encryptions. */
const KEY = hex("6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52");
const USAGE = 2;

describe("aes256k", () => {
  it.each([
    [
      0,
      "f764e9fa15c276478b2c7d0c4e5f58e4",
      "41f53fa5bfe7026d91faf9be959195a058707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c",
    ],
    [
      6,
      "b80d3251c1f6471494256ffe712d0b9a",
      "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2",
    ],
    [
      16,
      "53bf8a0d105265d4e276428624ce5e63",
      "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1f932e40c4ff255b36a266",
    ],
    [
      21,
      "763e65367e864f02f55153c7e3b58af1",
      "40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62",
    ],
  ])("encrypts %d bytes as RFC 8009 does", (length, confounder, expected) => {
    const plain = Buffer.from(Array.from({ length }, (_, i) => i));
    const random = { bytes: () => hex(confounder) };
    const bytes = aes256k.encrypt(KEY, plain, { usage: USAGE, random });
    expect(bytes.toString("hex")).toBe(expected);
    expect(aes256k.decrypt(KEY, bytes, USAGE)).toEqual(plain);
  });

  it("gives back every length, and nothing under another usage or secret, cut or with a bit flipped", () => {
    const random = seededRandom(3);
    for (let length = 0; length < 70; length++) {
      const plain = Buffer.from(random.bytes(length));
      const bytes = aes256k.encrypt(KEY, plain, { usage: 4, random });
      expect(bytes.length).toBe(16 + length + 24);
      expect(aes256k.decrypt(KEY, bytes, 4)).toEqual(plain);
      expect(aes256k.decrypt(KEY, bytes, 5)).toBeUndefined();
      expect(aes256k.decrypt(random.bytes(32), bytes, 4)).toBeUndefined();
      expect(aes256k.decrypt(KEY, bytes.subarray(1), 4)).toBeUndefined();
      for (let bit = 0; bit < bytes.length * 8; bit += 7) {
        const altered = Buffer.from(bytes);
        altered[bit >> 3]! ^= 1 << (bit & 7);
        expect(aes256k.decrypt(KEY, altered, 4), `length ${length} bit ${bit}`).toBeUndefined();
      }
    }
    for (let length = 0; length < 40; length++) {
      expect(aes256k.decrypt(KEY, new Uint8Array(length), 4)).toBeUndefined();
    }
  });

  it("is never twice the same, and never what an aes key opens", () => {
    const random = seededRandom(4);
    const key = generateKey(random, 0, aes256k.type);
    const sealing = { usage: 4, random };
    const bytes = encrypt(u64, 7n, key, sealing);
    expect(bytes).not.toEqual(encrypt(u64, 7n, key, sealing));
    expect(decrypt(u64, bytes, key, 4)).toBe(7n);
    expect(decrypt(u64, bytes, { ...key, type: 1 }, 4)).toBeUndefined();
  });

  it("proves by HMAC-SHA-256", () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
    const key = { ...generateKey(seededRandom(1), 0, aes256k.type), secret };
    const challenges = {
      serverChallenge: 0x1122334455667788n,
      clientChallenge: 0x0102030405060708n,
    };
    // As calculated by hand, with Python's hmac, from the formula of CephxProtocol.cc.
    expect(challengeProof(challenges, key)).toBe(0xff603040e5eb4b04n);
  });
});
