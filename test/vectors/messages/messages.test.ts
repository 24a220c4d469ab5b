/** Every message recorded from a real 16.2 cluster decodes, encodes to the same bytes, and is bounded. */
import { describe, expect, it } from "vitest";
import { DecodeError, flatten } from "../../../src/encoding/index.ts";
import { messageTypeOf, messageTypes } from "../../../src/messages/index.ts";
import type { IncomingMessage, MessageType } from "../../../src/types/index.ts";
import { type MessageVector, messageVectors } from "./vector.ts";

const vectors = messageVectors();

/** Types that no cluster of this release sends to anyone, or not in a way a recorder sees. */
const NOT_RECORDED: Readonly<Record<string, string>> = {
  mon_subscribe_ack: "only for clients older than stateful subscriptions",
};

/** Shorter fronts that are whole messages of older senders. */
function toleratedLengths(v: MessageVector): number[] {
  switch (v.message.type) {
    case 2: // ping: empty, or with a text
      return [0];
    case 17: // auth: the monitor map's epoch was added without a new version
      return [v.message.front.length - 4];
    case 53: // log_ack: so was the channel
      return [24];
    default:
      return [];
  }
}

function typeOf(v: MessageVector): MessageType<unknown> {
  const type = messageTypeOf(v.message.type);
  if (type === undefined) throw new Error(`no message type ${v.message.type}`);
  return type;
}

/** "ok", "DecodeError", or the name of an error that should not be. */
function outcome(type: MessageType<unknown>, message: IncomingMessage): string {
  try {
    type.decode(message);
    return "ok";
  } catch (error) {
    return error instanceof DecodeError ? "DecodeError" : String(error);
  }
}

describe.each(vectors.map((v) => [v.name, v] as const))("%s", (_name, v) => {
  const type = typeOf(v);

  it("encodes to the bytes it was decoded from", () => {
    const again = type.encode(type.decode(v.message), v.message.tid);
    expect(Buffer.from(again.front).toString("hex")).toBe(
      Buffer.from(v.message.front).toString("hex"),
    );
    expect(Buffer.compare(flatten(again.data ?? []), v.message.data)).toBe(0);
    expect(again).toMatchObject({
      type: v.message.type,
      version: v.message.version,
      // A monitor's answer to a ping skips the encoder, and with it the compat version.
      compatVersion: v.message.compatVersion || v.message.version,
      tid: v.message.tid,
    });
    expect(again.dataOff ?? 0).toBe(v.dataOff);
  });

  it("is refused with a DecodeError at every truncation", () => {
    const whole = v.message.front;
    const decoded: number[] = [];
    const wrong: string[] = [];
    for (let length = 0; length < whole.length; length++) {
      const got = outcome(type, { ...v.message, front: whole.subarray(0, length) });
      if (got === "ok") decoded.push(length);
      else if (got !== "DecodeError") wrong.push(`front cut to ${length} bytes: ${got}`);
    }
    expect(wrong).toEqual([]);
    expect(decoded).toEqual(toleratedLengths(v).filter((n) => n < whole.length));
  });

  it("ends in a value or a DecodeError whatever byte is broken", () => {
    const front = Buffer.from(v.message.front);
    const wrong: string[] = [];
    for (let at = 0; at < Math.min(front.length, 2048); at++) {
      const kept = front[at] ?? 0;
      for (const broken of [0xff, 0x7f, kept ^ 1]) {
        front[at] = broken;
        const got = outcome(type, { ...v.message, front });
        if (got !== "ok" && got !== "DecodeError") wrong.push(`byte ${at} = ${broken}: ${got}`);
      }
      front[at] = kept;
    }
    expect(wrong).toEqual([]);
  });

  it("is refused if a newer decoder than ours is needed", () => {
    const message = { ...v.message, version: 250, compatVersion: 250 };
    expect(outcome(type, message)).toBe("DecodeError");
  });
});

describe("the set of vectors", () => {
  it("has every message type we speak, but the excused", () => {
    const recorded = new Set(vectors.map((v) => v.message.type));
    const missing = messageTypes().filter((type) => !recorded.has(type.type));
    expect(missing.map((type) => type.name)).toEqual(Object.keys(NOT_RECORDED));
  });

  it("refuses requests and replies whose data is a byte short", () => {
    for (const v of vectors.filter((x) => x.message.type === 42 || x.message.type === 43)) {
      const short = { ...v.message, data: v.message.data.subarray(0, -1) };
      const expected = v.message.data.length === 0 ? "ok" : "DecodeError";
      expect(outcome(typeOf(v), short), v.name).toBe(expected);
    }
  });
});
