/**
 * Decoders of structs on their own, of whatever is nested in messages, maps, commands and what is stored: each
 * refuses with DecodeError.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Codec, DecodeError, decodeFromBytes } from "../../../src/encoding/index.ts";
import { MgrMap, OsdMapIncremental } from "../../../src/maps/index.ts";
import { LogEntry, RequestRedirect } from "../../../src/messages/index.ts";
import { CONTROL, type ControlTag } from "../../../src/messenger/control.ts";
import { tagName } from "../../../src/messenger/preamble.ts";
import { AddrVec, HObject, ObjectLocator, SnapSet } from "../../../src/types/index.ts";
import { mutated, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

const VECTORS = new URL("../../vectors/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, VECTORS));

interface Sample {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly bytes: Uint8Array;
}

/** Types of which the real library's bytes are recorded. */
const TYPES: readonly (readonly [file: string, codec: Codec<unknown>])[] = [
  ["LogEntry", LogEntry],
  ["SnapSet", SnapSet],
  ["entity_addrvec_t", AddrVec],
  ["hobject_t", HObject],
  ["object_locator_t", ObjectLocator],
  ["request_redirect_t", RequestRedirect],
];

function typeSamples(): Sample[] {
  return TYPES.flatMap(([name, codec]) => {
    const entries = JSON.parse(read(`types/${name}.json`).toString()) as { hex: string }[];
    return entries.map(({ hex }) => ({ name, codec, bytes: Buffer.from(hex, "hex") }));
  });
}

/** Of a recorded frame: the preamble and the CRC around its payload. */
const PREAMBLE_SIZE = 32;
const CRC_SIZE = 4;

function controlSamples(): Sample[] {
  const frames = JSON.parse(read("control/frames.json").toString()) as {
    tag: ControlTag;
    frame: string;
  }[];
  return frames.map(({ tag, frame }) => {
    const bytes = Buffer.from(frame, "hex");
    const end = Math.max(PREAMBLE_SIZE, bytes.length - CRC_SIZE);
    const codec = CONTROL[tag] as Codec<unknown>;
    return { name: tagName(tag), codec, bytes: bytes.subarray(PREAMBLE_SIZE, end) };
  });
}

/** u32 epoch; u32 length, full map; u32 length, increment; and so on. */
function incrementSamples(): Sample[] {
  return ["maps/osdmap-epochs.bin.gz", "maps/osdmap-range-epochs.bin.gz"].flatMap((file) => {
    const all = gunzipSync(read(file));
    const found: Sample[] = [];
    for (let at = 0; at < all.length; ) {
      const increment = at + 8 + all.readUInt32LE(at + 4);
      const end = increment + 4 + all.readUInt32LE(increment);
      const bytes = all.subarray(increment + 4, end);
      found.push({ name: "OSDMap::Incremental", codec: OsdMapIncremental, bytes });
      at = end;
    }
    return found;
  });
}

function structTarget(name: string, samples: () => Sample[]): Target {
  return {
    name,
    open() {
      const all = samples();
      const others = all.map(({ bytes }) => bytes);
      return {
        feed(dice) {
          const sample = pick(dice, all);
          const bytes = mutated(dice, sample.bytes, others);
          try {
            decodeFromBytes(sample.codec, bytes);
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error;
          }
          return `${sample.name} ${bytes.toString("hex", 0, 400)}`;
        },
      };
    },
  };
}

export const structTargets: readonly Target[] = [
  structTarget("control frames", controlSamples),
  structTarget("types", typeSamples),
  structTarget("increments of the osd map", incrementSamples),
  structTarget("manager map", () => [
    { name: "MgrMap", codec: MgrMap, bytes: read("maps/mgrmap.bin") },
  ]),
];
