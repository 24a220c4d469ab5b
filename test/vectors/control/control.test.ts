import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Codec, DecodeError, decodeFromBytes, Reader } from "../../../src/encoding/index.ts";
import { CONTROL, type ControlTag, encodeControl } from "../../../src/messenger/control.ts";
import { crcOnWire } from "../../../src/messenger/crc-on-wire.ts";
import { OutQueue } from "../../../src/messenger/out-queue.ts";
import { createPreamble, TAG, tagName } from "../../../src/messenger/preamble.ts";

interface Vector {
  tag: ControlTag;
  from: "initiator" | "acceptor";
  frame: string;
}
const file = new URL("frames.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vector[];
/** Preamble before the payload, its crc behind it. */
const PREAMBLE_SIZE = 32;
const CRC_SIZE = 4;

const payloadOf = (frame: Buffer) => frame.subarray(PREAMBLE_SIZE, frame.length - CRC_SIZE);

/** Seen with clients only on lossless links or after faults: a real cluster shows them to daemons. */
const NOT_WITH_CLIENTS = new Set<number>([
  TAG.IDENT_MISSING_FEATURES,
  TAG.SESSION_RECONNECT,
  TAG.SESSION_RESET,
  TAG.SESSION_RETRY,
  TAG.SESSION_RETRY_GLOBAL,
  TAG.SESSION_RECONNECT_OK,
  TAG.WAIT,
  TAG.ACK,
]);

describe("control frames of a real cluster", () => {
  it("there is one of every kind that clients meet", () => {
    const recorded = new Set<number>(vectors.map((v) => v.tag));
    const missing = Object.keys(CONTROL).map(Number);
    expect(
      missing.filter((tag) => !recorded.has(tag) && !NOT_WITH_CLIENTS.has(tag)).map(tagName),
    ).toEqual([]);
  });

  it.each(vectors.map((v, i) => [`${tagName(v.tag)} from ${v.from}, ${i}`, v] as const))(
    "%s is the frame we would send",
    (_, { tag, frame: hex }) => {
      const frame = Buffer.from(hex, "hex");
      const preamble = createPreamble();
      crcOnWire.openHead(frame, 0, preamble);
      expect(preamble.tag).toBe(tag);
      expect(preamble.lengths[0]).toBe(payloadOf(frame).length);
      const value = decodeFromBytes(CONTROL[tag] as Codec<unknown>, payloadOf(frame));
      const out = new OutQueue();
      crcOnWire.seal(out, tag, encodeControl(tag, value as never), []);
      expect(Buffer.concat(out.take()).toString("hex")).toBe(hex);
    },
  );

  it("is refused with a DecodeError at every truncation", () => {
    for (const { tag, frame } of vectors) {
      const payload = payloadOf(Buffer.from(frame, "hex"));
      for (let n = 0; n < payload.length; n++) {
        const cut = new Reader(payload.subarray(0, n));
        expect(() => (CONTROL[tag] as Codec<unknown>).decode(cut), `${tagName(tag)}, ${n} bytes`).toThrow(
          DecodeError,
        );
      }
    }
  });

  it("is refused when any bit of it is flipped", () => {
    for (const { tag, frame: hex } of vectors) {
      const frame = Buffer.from(hex, "hex");
      for (let at = 0; at < frame.length; at++) {
        const bad = Buffer.from(frame);
        bad[at] = bad[at]! ^ (1 << (at % 8));
        expect(() => {
          const preamble = createPreamble();
          crcOnWire.openHead(bad, 0, preamble);
          crcOnWire.openFirst(bad.subarray(PREAMBLE_SIZE), preamble.lengths[0]!);
        }, `${tagName(tag)}, byte ${at}`).toThrow();
      }
    }
  });
});
