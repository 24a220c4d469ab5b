/** A device's bytes as streams. */

import { Readable, Writable } from "node:stream";
import { callbackify } from "node:util";
import type { CallOptions } from "../librados/index.ts";
import type { BlockDevice } from "./block-device.ts";

/** Bytes of one step of a stream. */
const STREAM_BYTES = 4 * 1024 * 1024;

/** Limits are those of each step: a signal that is aborted destroys the stream with its reason at the next one. */
export interface ReadableOptions extends CallOptions {
  /** The first byte. @default 0 */
  readonly start?: number;
  /** The first one that is not wanted any more. @default the device's end */
  readonly end?: number;
}

export interface WritableOptions extends CallOptions {
  /** Where the first byte goes. @default 0 */
  readonly start?: number;
}

async function* pieces(device: BlockDevice, options: ReadableOptions): AsyncGenerator<Buffer> {
  const { start = 0, end = device.size, ...limits } = options;
  for (let at = start; at < end; at += STREAM_BYTES) {
    yield await device.read(at, Math.min(STREAM_BYTES, end - at), limits);
  }
}

export function readableOf(device: BlockDevice, options: ReadableOptions): Readable {
  return Readable.from(pieces(device, options), { objectMode: false });
}

/** It ends once all is written and flushed. */
export function writableOf(device: BlockDevice, options: WritableOptions): Writable {
  const { start = 0, ...limits } = options;
  let at = start;
  const write = callbackify(async (chunk: Buffer): Promise<void> => {
    const offset = at;
    at += chunk.length;
    await device.write(offset, chunk, limits);
  });
  return new Writable({
    highWaterMark: STREAM_BYTES,
    write: (chunk: Buffer, _encoding, done) => write(chunk, done),
    final: callbackify(() => device.flush(limits)),
  });
}
