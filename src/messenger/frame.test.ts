import { array, assert, constantFrom, integer, oneof, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../encoding/index.ts";
import { makeBanner } from "./banner.ts";
import { crcOnWire } from "./crc-on-wire.ts";
import { type DataMemory, FrameParser } from "./frame.ts";
import { BULK_BYTES_MIN } from "./limits.ts";
import type { OnWire } from "./on-wire.ts";
import { OutQueue } from "./out-queue.ts";
import { HEADER2_SIZE, TAG } from "./preamble.ts";
import { isPeerFault } from "./protocol-error.ts";
import { SecureOnWire } from "./secure-on-wire.ts";

interface Seen {
  tag: number;
  segments: Buffer[];
}

/** A parser past the banner that keeps what it hears. */
function listener(wire: OnWire) {
  const seen: Seen[] = [];
  const parser = new FrameParser({
    onBanner: () => {},
    onControl: (tag, payload) => seen.push({ tag, segments: [Buffer.from(payload)] }),
    onMessageFrame(bytes, headerAt, front, middle, data, sums) {
      const blocks = wire === crcOnWire ? Math.floor(data.length / 4096) : 0;
      const wanted = Array.from({ length: blocks }, (_, i) =>
        crc32c(0, data, i * 4096, (i + 1) * 4096),
      );
      expect(sums).toEqual(wanted);
      const header = bytes.subarray(headerAt, headerAt + HEADER2_SIZE);
      const segments: Buffer[] = [header, front, middle].map((x) => Buffer.from(x));
      // The data is kept as it is: it must not change afterwards.
      segments.push(Buffer.from(data.buffer, data.byteOffset, data.length));
      seen.push({ tag: TAG.MESSAGE, segments });
    },
  });
  parser.messagesAllowed = true;
  feed(parser, makeBanner(), [1000]);
  parser.onWire = wire;
  return { parser, seen };
}

/** Gives `bytes` in reads of the sizes given, over and over. */
function feed(parser: FrameParser, bytes: Buffer, sizes: readonly number[]): void {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const target = parser.target();
    expect(target.length).toBeGreaterThan(0);
    const count = Math.min(target.length, bytes.length - at, sizes[turn % sizes.length]!);
    target.set(bytes.subarray(at, at + count));
    at += count;
    parser.received(count);
  }
}

function filled(length: number, seed: number): Buffer {
  const out = Buffer.alloc(length);
  for (let i = 0; i < length; i++) out[i] = (i * 7 + seed * 13 + (i >> 8)) & 255;
  return out;
}

function messageBytes(wire: OnWire, lengths: readonly number[], seed = 1): Buffer {
  const out = new OutQueue();
  const [front, middle, data] = lengths.map((length, i) => filled(length, seed + i));
  const half = data!.length >> 1;
  const list = [data!.subarray(0, half), data!.subarray(half)];
  wire.seal(out, TAG.MESSAGE, filled(HEADER2_SIZE, seed), [[front!], [middle!], list]);
  return Buffer.concat(out.take());
}

function expectMessage(seen: Seen | undefined, lengths: readonly number[], seed = 1): void {
  expect(seen?.tag).toBe(TAG.MESSAGE);
  const wanted = [filled(HEADER2_SIZE, seed), ...lengths.map((n, i) => filled(n, seed + i))];
  expect(seen?.segments.map((s) => crc32c(0, s))).toEqual(wanted.map((s) => crc32c(0, s)));
  expect(seen?.segments.map((s) => s.length)).toEqual(wanted.map((s) => s.length));
}

const SECRET = Buffer.from(Array.from({ length: 64 }, (_, i) => i * 3 + 1));
const MODES: [string, () => { sender: OnWire; receiver: OnWire }][] = [
  ["crc", () => ({ sender: crcOnWire, receiver: crcOnWire })],
  [
    "secure",
    () => ({
      sender: new SecureOnWire(SECRET, "initiator"),
      receiver: new SecureOnWire(SECRET, "acceptor"),
    }),
  ],
];

/** Lengths of front, middle and data at every border: empty, inline, in the ring, direct. */
const SHAPES = [
  [0, 0, 0],
  [5, 0, 0],
  [0, 3, 0],
  [0, 0, 1],
  [220, 0, 4096],
  [48, 16, 4097],
  [300, 0, BULK_BYTES_MIN - 1],
  [300, 9, BULK_BYTES_MIN],
  [200_000, 0, 0],
  [130_000, 70_000, 40],
  [220, 0, 4 << 20],
];

describe.each(MODES)("%s mode", (_name, make) => {
  test("messages of every shape arrive as they were sent, one after the other", () => {
    const { sender, receiver } = make();
    const { parser, seen } = listener(receiver);
    const bytes = Buffer.concat(SHAPES.map((shape, i) => messageBytes(sender, shape, i)));
    feed(parser, bytes, [65_536]);
    expect(seen.length).toBe(SHAPES.length);
    for (const [i, shape] of SHAPES.entries()) expectMessage(seen[i], shape, i);
  });

  test("how the stream is cut into reads makes no difference", () => {
    const size = oneof(integer({ min: 1, max: 64 }), integer({ min: 1, max: 300_000 }));
    const length = oneof(
      constantFrom(0, 1, 47, 48, 49, BULK_BYTES_MIN),
      integer({ min: 0, max: 150_000 }),
    );
    const shapes = array(tuple(length, length, length), { minLength: 1, maxLength: 4 });
    assert(
      property(shapes, array(size, { minLength: 1, maxLength: 8 }), (shapes, sizes) => {
        const { sender, receiver } = make();
        const { parser, seen } = listener(receiver);
        const bytes = shapes.map((shape, i) => messageBytes(sender, shape, i));
        // One-byte reads of a long stream take too long: tiny sizes only at its start.
        const total = Buffer.concat(bytes);
        const head = Math.min(500, total.length);
        feed(parser, total.subarray(0, head), sizes);
        feed(
          parser,
          total.subarray(head),
          sizes.map((s) => Math.max(s, 5000)),
        );
        expect(seen.length).toBe(shapes.length);
        for (const [i, shape] of shapes.entries()) expectMessage(seen[i], shape, i);
      }),
      { numRuns: 60 },
    );
  });

  test("a frame that is cut short is never handed on, and a flipped bit closes the link", () => {
    const shape = [20, 5, 70];
    const length = messageBytes(make().sender, shape).length;
    for (let at = 0; at < length; at++) {
      const { sender, receiver } = make();
      const bytes = messageBytes(sender, shape);
      const cut = listener(receiver);
      feed(cut.parser, bytes.subarray(0, at), [1000]);
      expect(cut.seen, `cut at ${at}`).toEqual([]);

      const flipped = Buffer.from(bytes);
      // The high half of the late status (13 bytes before a crc frame's end) is reserved and ignored.
      flipped[at]! ^= 1 << (at === length - 13 ? 0 : at % 8);
      const { parser, seen } = listener(make().receiver);
      let fault: unknown;
      try {
        feed(parser, flipped, [1000]);
      } catch (error) {
        fault = error;
      }
      expect(seen, `bit flipped in byte ${at}`).toEqual([]);
      expect(isPeerFault(fault), `bit flipped in byte ${at}`).toBe(true);
    }
  });

  test("a payload has memory of its own that later frames do not touch", () => {
    const { sender, receiver } = make();
    const { parser, seen } = listener(receiver);
    for (let i = 0; i < 50; i++) feed(parser, messageBytes(sender, [10, 0, 4096], i), [100_000]);
    for (let i = 0; i < 50; i++) expectMessage(seen[i], [10, 0, 4096], i);
  });
});

test("a crc frame lies on the wire as Ceph lays it out", () => {
  const out = new OutQueue();
  const header = filled(HEADER2_SIZE, 1);
  crcOnWire.seal(out, TAG.MESSAGE, header, [[Buffer.from("front")], [], [Buffer.from("data")]]);
  const bytes = Buffer.concat(out.take());
  expect(bytes.length).toBe(32 + 41 + 4 + 5 + 4 + 13);
  expect(bytes.subarray(0, 28).toString("hex")).toBe(
    "11042900000008000500000008000000000008000400000000100000",
  );
  expect(bytes.readUInt32LE(28)).toBe(crc32c(0, bytes, 0, 28));
  expect(bytes.readUInt32LE(73)).toBe(crc32c(0xffffffff, header));
  expect(bytes[86]).toBe(0x0e);
  expect(bytes.readUInt32LE(87)).toBe(crc32c(0xffffffff, Buffer.from("front")));
  expect(bytes.readUInt32LE(91)).toBe(0xffffffff);
  expect(bytes.readUInt32LE(95)).toBe(crc32c(0xffffffff, Buffer.from("data")));
});

test("trailing empty segments are not counted, and one segment has no epilogue", () => {
  const out = new OutQueue();
  crcOnWire.seal(out, TAG.MESSAGE, filled(HEADER2_SIZE, 1), [[], [], []]);
  const alone = Buffer.concat(out.take());
  expect([alone[1], alone.length]).toEqual([1, 32 + 41 + 4]);
  crcOnWire.seal(out, TAG.MESSAGE, filled(HEADER2_SIZE, 1), [[Buffer.from("x")], [], []]);
  const front = Buffer.concat(out.take());
  expect([front[1], front.readUInt32LE(32 + 45 + 1 + 1 + 4)]).toEqual([2, 0]);
});

test("the sender's checksum of the data is taken as given", () => {
  const out = new OutQueue();
  const data = filled(9000, 3);
  const crc = crc32c(0xffffffff, data);
  crcOnWire.seal(out, TAG.MESSAGE, filled(HEADER2_SIZE, 1), [[], [], [data]], crc);
  const { parser, seen } = listener(crcOnWire);
  feed(parser, Buffer.concat(out.take()), [5000]);
  expect(seen.length).toBe(1);
});

test("a frame its sender gave up is dropped and the next one is read", () => {
  const { parser, seen } = listener(crcOnWire);
  const aborted = messageBytes(crcOnWire, [10, 0, 100], 1);
  aborted[aborted.length - 13] = 0x01;
  aborted.fill(0, 90, 100);
  feed(parser, Buffer.concat([aborted, messageBytes(crcOnWire, [1, 2, 3], 2)]), [64]);
  expect(seen.length).toBe(1);
  expectMessage(seen[0], [1, 2, 3], 2);
});

describe("what a peer may not announce", () => {
  /** A preamble with a good checksum. */
  function preamble(tag: number, count: number, lengths: number[]): Buffer {
    const bytes = Buffer.alloc(32);
    bytes[0] = tag;
    bytes[1] = count;
    for (const [i, length] of lengths.entries()) bytes.writeUInt32LE(length, 2 + i * 6);
    bytes.writeUInt32LE(crc32c(0, bytes, 0, 28), 28);
    return bytes;
  }
  test.each([
    ["an unknown tag", preamble(99, 1, [1])],
    ["no segments", preamble(TAG.MESSAGE, 0, [])],
    ["five segments", preamble(TAG.MESSAGE, 5, [41])],
    ["an empty last segment", preamble(TAG.MESSAGE, 2, [41, 0])],
    ["a message header of another size", preamble(TAG.MESSAGE, 1, [40])],
    ["a control frame of two segments", preamble(TAG.HELLO, 2, [10, 10])],
    ["a large control frame", preamble(TAG.CLIENT_IDENT, 1, [64 * 1024 + 1])],
    ["a large authentication frame", preamble(TAG.AUTH_REQUEST, 1, [16 * 1024 + 257])],
    ["a large front", preamble(TAG.MESSAGE, 2, [41, (16 << 20) + 1])],
    ["a large middle", preamble(TAG.MESSAGE, 3, [41, 1, (16 << 20) + 1])],
    ["large data", preamble(TAG.MESSAGE, 4, [41, 1, 1, (96 << 20) + 1])],
  ])("%s is refused by the preamble alone", (_what, bytes) => {
    const { parser } = listener(crcOnWire);
    expect(() => feed(parser, bytes, [32])).toThrow("cannot decode frame preamble");
  });

  test.each([
    ["a control frame", preamble(TAG.CLIENT_IDENT, 1, [64 * 1024])],
    ["an authentication frame", preamble(TAG.AUTH_REQUEST, 1, [16 * 1024 + 256])],
    ["a message", preamble(TAG.MESSAGE, 4, [41, 16 << 20, 16 << 20, 96 << 20])],
  ])("%s that is as large as it may be is waited for", (_what, bytes) => {
    const { parser, seen } = listener(crcOnWire);
    feed(parser, bytes, [32]);
    expect(seen).toEqual([]);
  });

  test("a message before the session is refused by its preamble", () => {
    const { parser } = listener(crcOnWire);
    parser.messagesAllowed = false;
    const head = messageBytes(crcOnWire, [1, 0, 0]).subarray(0, 32);
    expect(() => feed(parser, head, [32])).toThrow("MESSAGE before a session");
  });

  test("a peer that does not speak messenger v2 is refused at the first wrong byte", () => {
    const parser = () =>
      new FrameParser({ onBanner: () => {}, onControl: () => {}, onMessageFrame: () => {} });
    expect(() => feed(parser(), Buffer.from("GET"), [10])).toThrow("not messenger v2");
    expect(() => feed(parser(), Buffer.from("ceph v027"), [1])).toThrow("not messenger v2");
    const long = makeBanner();
    long.writeUInt16LE(5000, 8);
    expect(() => feed(parser(), long, [26])).toThrow("payload of 5000 bytes");
  });
});

describe("payload memory", () => {
  /** Memory of which one block is out at most; who waits is told by hand. */
  function oneBlock() {
    const state = { out: 0, refused: 0, waiting: undefined as (() => void) | undefined };
    const memory: DataMemory = {
      take(length) {
        if (state.out > 0) {
          state.refused++;
          return undefined;
        }
        state.out++;
        return Buffer.alloc(length);
      },
      takeOrMake(length) {
        state.out++;
        return Buffer.alloc(length);
      },
      whenFree(_length, ready) {
        state.waiting = ready;
      },
      give: () => void state.out--,
    };
    return { state, memory };
  }

  /** A parser that gives a payload back only when told; `kept` are those it has. */
  function keeper(wire: OnWire) {
    const { state, memory } = oneBlock();
    const seen: Buffer[] = [];
    const kept: Uint8Array[] = [];
    const parser = new FrameParser(
      {
        onBanner: () => {},
        onControl: () => {},
        onMessageFrame(_bytes, _headerAt, _front, _middle, data) {
          seen.push(Buffer.from(data));
          if (data.length >= BULK_BYTES_MIN) kept.push(data);
        },
      },
      memory,
    );
    parser.messagesAllowed = true;
    feed(parser, makeBanner(), [1000]);
    parser.onWire = wire;
    return { parser, state, seen, kept };
  }

  test("a parser without memory stalls, takes no harm from bytes aimed before, and goes on", () => {
    assert(
      property(
        array(constantFrom(100, 5000, BULK_BYTES_MIN, BULK_BYTES_MIN + 7, 300_000), {
          minLength: 1,
          maxLength: 6,
        }),
        array(integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 }),
        (lengths, sizes) => {
          const { parser, state, seen, kept } = keeper(crcOnWire);
          const frames = lengths.map((n, i) => messageBytes(crcOnWire, [20, 0, n], i + 1));
          const bytes = Buffer.concat(frames);
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const target = parser.target();
            // As from a socket: the stall ends after the next target was asked for.
            while (parser.isStalled) {
              for (const data of kept.splice(0)) {
                expect(data.length).toBeGreaterThan(0);
                state.out--;
              }
              parser.goOn();
            }
            const count = Math.min(target.length, bytes.length - at, sizes[turn % sizes.length]!);
            target.set(bytes.subarray(at, at + count));
            at += count;
            parser.received(count);
          }
          while (parser.isStalled) {
            state.out -= kept.splice(0).length;
            parser.goOn();
          }
          expect(seen.map((x) => x.length)).toEqual(lengths);
          for (const [i, data] of seen.entries()) {
            expect(crc32c(0, data)).toBe(crc32c(0, filled(lengths[i]!, i + 3)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("memory of a frame that is never handed on is given back", () => {
    const bytes = messageBytes(crcOnWire, [20, 0, 100_000]);
    const stopped = keeper(crcOnWire);
    feed(stopped.parser, bytes.subarray(0, 90_000), [50_000]);
    expect(stopped.state.out).toBe(1);
    stopped.parser.stop();
    expect(stopped.state.out).toBe(0);
    const damaged = keeper(crcOnWire);
    bytes[bytes.length - 20]! ^= 1;
    expect(() => feed(damaged.parser, bytes, [bytes.length])).toThrow("checksum mismatch");
    damaged.parser.stop();
    expect(damaged.state.out).toBe(0);
  });
});
