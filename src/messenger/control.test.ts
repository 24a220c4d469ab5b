import { expect, test } from "vitest";
import { decodeFromBytes } from "../encoding/index.ts";
import { CONTROL, type ControlTag, type ControlValue, encodeControl } from "./control.ts";
import { TAG } from "./preamble.ts";

const addr = { type: 2, nonce: 7, ip: "127.0.0.1", port: 3300 };

const VALUES: { [T in ControlTag]: ControlValue<T> } = {
  [TAG.HELLO]: { entityType: 1, peerAddr: addr },
  [TAG.AUTH_REQUEST]: { method: 2, preferredModes: [2, 1], payload: Buffer.from("abc") },
  [TAG.AUTH_BAD_METHOD]: { method: 2, result: -13, allowedMethods: [1], allowedModes: [1, 2] },
  [TAG.AUTH_REPLY_MORE]: { payload: Buffer.from("more") },
  [TAG.AUTH_REQUEST_MORE]: { payload: Buffer.from("more") },
  [TAG.AUTH_DONE]: { globalId: 4123n, mode: 1, payload: Buffer.from("ok") },
  [TAG.AUTH_SIGNATURE]: { signature: Buffer.alloc(32, 9) },
  [TAG.CLIENT_IDENT]: {
    addrs: [addr],
    target: addr,
    gid: -1n,
    globalSeq: 3n,
    supported: 0x3f01cfbdfffdffffn,
    required: 1n,
    flags: 1n,
    cookie: 0n,
  },
  [TAG.SERVER_IDENT]: {
    addrs: [addr, { ...addr, type: 1 }],
    gid: 0n,
    globalSeq: 3n,
    supported: 5n,
    required: 1n,
    flags: 1n,
    cookie: 0n,
  },
  [TAG.IDENT_MISSING_FEATURES]: { features: 1n << 59n },
  [TAG.SESSION_RECONNECT]: {
    addrs: [addr],
    clientCookie: 1n,
    serverCookie: 2n,
    globalSeq: 3n,
    connectSeq: 4n,
    messageSeq: 5n,
  },
  [TAG.SESSION_RESET]: { full: true },
  [TAG.SESSION_RETRY]: { connectSeq: 4n },
  [TAG.SESSION_RETRY_GLOBAL]: { globalSeq: 4n },
  [TAG.SESSION_RECONNECT_OK]: { messageSeq: 4n },
  [TAG.WAIT]: {},
  [TAG.KEEPALIVE2]: { sec: 5, nsec: 6 },
  [TAG.KEEPALIVE2_ACK]: { sec: 5, nsec: 6 },
  [TAG.ACK]: { seq: 77n },
};

const TAGS = Object.keys(VALUES).map(Number) as ControlTag[];

test("every control frame decodes to what was encoded", () => {
  expect(TAGS.length).toBe(19);
  for (const tag of TAGS) {
    const bytes = encodeControl(tag, VALUES[tag] as never);
    expect(decodeFromBytes(CONTROL[tag] as never, bytes), `tag ${tag}`).toEqual(VALUES[tag]);
  }
});

test("every truncation of a control frame is refused", () => {
  for (const tag of TAGS) {
    const bytes = encodeControl(tag, VALUES[tag] as never);
    for (let n = 0; n < bytes.length; n++) {
      const cut = () => decodeFromBytes(CONTROL[tag] as never, bytes.subarray(0, n));
      expect(cut, `tag ${tag} cut to ${n}`).toThrow("cannot decode");
    }
  }
});

test("a CLIENT_IDENT lies on the wire as Ceph lays it out", () => {
  const bytes = encodeControl(TAG.CLIENT_IDENT, { ...VALUES[TAG.CLIENT_IDENT], addrs: [] });
  // addrvec marker and count, target of 35 bytes, six 64-bit fields
  expect(bytes.length).toBe(5 + 35 + 48);
  expect(bytes.readBigInt64LE(40)).toBe(-1n);
  expect(bytes.readBigUInt64LE(72)).toBe(1n);
});
