import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Codec, DecodeError, decodeFromBytes, Reader } from "../../../src/encoding/index.ts";
import { makeBanner } from "../../../src/messenger/banner.ts";
import { CONTROL, type ControlTag, encodeControl } from "../../../src/messenger/control.ts";
import { crcOnWire } from "../../../src/messenger/crc-on-wire.ts";
import { FrameParser } from "../../../src/messenger/frame.ts";
import { OutQueue } from "../../../src/messenger/out-queue.ts";
import { createPreamble, tagName } from "../../../src/messenger/preamble.ts";

interface Vector {
  tag: ControlTag;
  from: "initiator" | "acceptor";
  /** Whom the link is between: a client and a daemon, or two daemons. */
  link: "clients" | "daemons";
  frame: string;
}
const file = new URL("frames.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vector[];
/** Preamble before the payload; a crc behind one that is not empty. */
const PREAMBLE_SIZE = 32;
const CRC_SIZE = 4;

const payloadOf = (frame: Buffer) =>
  frame.length === PREAMBLE_SIZE
    ? frame.subarray(PREAMBLE_SIZE)
    : frame.subarray(PREAMBLE_SIZE, frame.length - CRC_SIZE);

/** What a parser past the banner makes of `bytes`: the control frames it hands on. */
function parsed(bytes: Buffer): { tag: number; payload: string }[] {
  const seen: { tag: number; payload: string }[] = [];
  const parser = new FrameParser({
    onBanner: () => {},
    onControl: (tag, payload) => seen.push({ tag, payload: payload.toString("hex") }),
    onMessageFrame: () => expect.fail("a message"),
  });
  for (const part of [makeBanner(), bytes]) {
    parser.target().set(part);
    parser.received(part.length);
  }
  return seen;
}

describe("control frames of a real cluster", () => {
  it("there is one of every kind", () => {
    const recorded = new Set<number>(vectors.map((v) => v.tag));
    const missing = Object.keys(CONTROL).map(Number);
    expect(missing.filter((tag) => !recorded.has(tag)).map(tagName)).toEqual([]);
  });

  it.each(
    vectors.map((v, i) => [`${tagName(v.tag)} from ${v.from} among ${v.link}, ${i}`, v] as const),
  )(
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

  it("is nothing yet while a byte of it is missing, and then itself", () => {
    for (const { tag, frame: hex } of vectors) {
      const frame = Buffer.from(hex, "hex");
      for (let n = 0; n < frame.length; n++) {
        expect(parsed(frame.subarray(0, n)), `${tagName(tag)}, ${n} bytes`).toEqual([]);
      }
      expect(parsed(frame)).toEqual([{ tag, payload: payloadOf(frame).toString("hex") }]);
    }
  });

  it("is refused when any bit of it is flipped", () => {
    for (const { tag, frame: hex } of vectors) {
      const frame = Buffer.from(hex, "hex");
      for (let at = 0; at < frame.length; at++) {
        const bad = Buffer.from(frame);
        bad[at] = bad[at]! ^ (1 << (at % 8));
        expect(() => parsed(bad), `${tagName(tag)}, byte ${at}`).toThrow(DecodeError);
      }
    }
  });
});
