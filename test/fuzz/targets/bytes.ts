/** Decoders and the frame parser: they refuse with DecodeError or ProtocolError. */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { CrushMapCodec } from "../../../src/crush/index.ts";
import { type Codec, DecodeError, decodeFromBytes, EMPTY } from "../../../src/encoding/index.ts";
import { MonMap, OsdMap } from "../../../src/maps/index.ts";
import { MMonSubscribeAck, messageTypeOf } from "../../../src/messages/index.ts";
import { makeBanner } from "../../../src/messenger/banner.ts";
import { crcOnWire } from "../../../src/messenger/crc-on-wire.ts";
import { FrameParser } from "../../../src/messenger/frame.ts";
import { OutQueue } from "../../../src/messenger/out-queue.ts";
import { TAG } from "../../../src/messenger/preamble.ts";
import { ProtocolError } from "../../../src/messenger/protocol-error.ts";
import { SecureOnWire } from "../../../src/messenger/secure-on-wire.ts";
import { type MessageVector, messageVectors } from "../../vectors/messages/vector.ts";
import { type Dice, mutated, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

const FSID = "00000000-1111-4222-8333-444444444444";
const MAPS = new URL("../../vectors/maps/", import.meta.url);

/** Runs `work`; what it may throw is no fault. */
function allow(errors: readonly (new (...args: never[]) => Error)[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!errors.some((type) => error instanceof type)) throw error;
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 400)).toString("hex");

/** Recorded ones; and of what no cluster of today says any more, one of our own. */
export function messageSamples(): Pick<MessageVector, "name" | "message">[] {
  const { type, version, compatVersion, front } = MMonSubscribeAck.encode({
    interval: 30,
    fsid: FSID,
  });
  const rest = { middle: EMPTY, data: EMPTY, priority: 127, seq: 1, tid: 0 };
  const own = { type, version, compatVersion, front, ...rest };
  return [...messageVectors(), { name: "mmon-subscribe-ack", message: own }];
}

const messages: Target = {
  name: "messages",
  open() {
    const vectors = messageSamples();
    const fronts = vectors.map(({ message }) => message.front);
    return {
      feed(dice) {
        const { name, message } = pick(dice, vectors);
        const front = mutated(dice, message.front, fronts);
        const data = dice.below(3) === 0 ? mutated(dice, message.data, fronts) : message.data;
        allow([DecodeError], () =>
          messageTypeOf(message.type)!.decode({ ...message, front, data }),
        );
        return `${name} ${hex(front)}`;
      },
    };
  },
};

function codecTarget(name: string, codec: Codec<unknown>, samples: () => Uint8Array[]): Target {
  return {
    name,
    open() {
      const all = samples();
      return {
        feed(dice) {
          const bytes = mutated(dice, pick(dice, all), all);
          allow([DecodeError], () => decodeFromBytes(codec, bytes));
          return hex(bytes);
        },
      };
    },
  };
}

function mapFiles(pattern: RegExp): Uint8Array[] {
  const names = readdirSync(MAPS).filter((name) => pattern.test(name));
  return names.map((name) => {
    const bytes = readFileSync(new URL(name, MAPS));
    return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  });
}

const SECRET = Buffer.from(Array.from({ length: 64 }, (_, i) => i * 3 + 1));

/** A stream of frames: some of it wrong, in pieces of any size. */
function frames(
  name: string,
  sender: () => typeof crcOnWire,
  receiver: () => typeof crcOnWire,
): Target {
  return {
    name,
    open() {
      const vectors = messageVectors();
      return {
        feed(dice) {
          const out = new OutQueue();
          const wire = sender();
          for (let n = 1 + dice.below(4); n > 0; n--) {
            const { front, middle, data } = pick(dice, vectors).message;
            wire.seal(out, TAG.MESSAGE, Buffer.alloc(41, n), [[front], [middle], [data]]);
          }
          const stream = Buffer.concat(out.take());
          const bytes = Buffer.concat([makeBanner(), mutated(dice, stream, [stream])]);
          allow([DecodeError, ProtocolError], () => parse(dice, receiver(), bytes));
          return hex(bytes);
        },
      };
    },
  };
}

function parse(dice: Dice, wire: typeof crcOnWire, bytes: Buffer): void {
  const parser = new FrameParser({
    onBanner: () => {
      parser.messagesAllowed = true;
      parser.onWire = wire;
    },
    onControl: () => {},
    onMessageFrame: () => {},
  });
  for (let at = 0; at < bytes.length; ) {
    const target = parser.target();
    const count = Math.min(target.length, bytes.length - at, 1 + dice.below(5000));
    target.set(bytes.subarray(at, at + count));
    at += count;
    parser.received(count);
  }
}

export const bytesTargets: readonly Target[] = [
  messages,
  codecTarget("osd map", OsdMap, () => mapFiles(/^osdmap-rich\.bin$/)),
  codecTarget("crush map", CrushMapCodec, () => mapFiles(/^crush-.*\.bin$/)),
  codecTarget("monitor map", MonMap, () => mapFiles(/^monmap\.bin$/)),
  frames(
    "frames",
    () => crcOnWire,
    () => crcOnWire,
  ),
  frames(
    "secure frames",
    () => new SecureOnWire(SECRET, "initiator"),
    () => new SecureOnWire(SECRET, "acceptor"),
  ),
];
