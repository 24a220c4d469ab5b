/**
 * Reads a recorded message: u32 length of a JSON header, the header, then front, middle and data as they
 * were on the wire. README.md says what the header holds and how vectors are made.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { IncomingMessage } from "../../../src/types/index.ts";

const DIR = import.meta.dirname;

export interface MessageVector {
  /** File name without `.bin`. */
  name: string;
  /** Kinds of entity: `client`, `mon`, `osd`, `mgr`. */
  from: string;
  to: string;
  dataOff: number;
  message: IncomingMessage;
}

interface Header {
  type: number;
  version: number;
  compatVersion: number;
  priority: number;
  seq: number;
  tid: number;
  dataOff: number;
  from: string;
  to: string;
  /** Lengths of the segments. */
  front: number;
  middle: number;
  data: number;
}

function readVector(file: string): MessageVector {
  const bytes = readFileSync(join(DIR, file));
  const start = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString("utf8", 4, start)) as Header;
  const { from, to, dataOff, front, middle, data, ...rest } = header;
  if (start + front + middle + data !== bytes.length) throw new Error(`${file}: wrong lengths`);
  const message = {
    ...rest,
    front: bytes.subarray(start, start + front),
    middle: bytes.subarray(start + front, start + front + middle),
    data: bytes.subarray(start + front + middle),
  };
  return { name: file.slice(0, -".bin".length), from, to, dataOff, message };
}

/** All recorded messages, in order of their names. */
export function messageVectors(): MessageVector[] {
  const files = readdirSync(DIR).filter((file) => file.endsWith(".bin"));
  return files.sort().map(readVector);
}
