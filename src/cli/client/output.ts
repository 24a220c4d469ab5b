/**
 * What a command prints: gathered, written no faster than it is read, and given up quietly when nobody reads it
 * any more (`spirula rados ls | head`).
 *
 * Text is UTF-8; names that are not come out byte for byte as they went in, see `nameText`.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import type { Writable } from "node:stream";
import { CephError } from "../../base/index.ts";
import { bytesOf, nameBytes } from "../../encoding/index.ts";
import { isStream } from "./is-stream.ts";

/** Bytes gathered before they are written. */
const PIECE_BYTES = 1 << 16;

const STDOUT = 1;

/** Streams we write to; `gone`: nobody reads them any more. */
const watched = new WeakMap<Writable, { gone: boolean }>();

function watch(stream: Writable): { gone: boolean } {
  let reader = watched.get(stream);
  if (reader === undefined) {
    const state = { gone: false };
    reader = state;
    watched.set(stream, reader);
    // Never taken off again: the news may come long after the last write.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      state.gone = true;
    });
  }
  return reader;
}

/** Text as bytes, names in it as they were. */
export function textBytes(text: string): Buffer {
  return /[\ud800-\udfff]/.test(text) ? bytesOf(nameBytes(text)) : Buffer.from(text, "utf8");
}

export class Output {
  readonly #stream: Writable;
  readonly #reader: { gone: boolean };
  readonly #isStream: boolean;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(stream: Writable = process.stdout) {
    this.#stream = stream;
    this.#reader = watch(stream);
    this.#isStream = stream !== process.stdout || isStream(STDOUT);
  }

  /** Nobody reads it any more: there is no use in going on. */
  get isGone(): boolean {
    return this.#reader.gone;
  }

  /** So much is gathered that `flush` should be awaited before more is. */
  get isFull(): boolean {
    return this.#bytes >= PIECE_BYTES;
  }

  /** Gathers it. The bytes must stay as they are until they are flushed. */
  put(piece: string | Uint8Array): void {
    const bytes =
      typeof piece === "string"
        ? textBytes(piece)
        : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  /** A line, and what was gathered before it, at once. */
  async say(line: string): Promise<void> {
    this.put(`${line}\n`);
    await this.flush();
  }

  /** Gathers it, and writes when that is enough. */
  async write(piece: string | Uint8Array): Promise<void> {
    this.put(piece);
    if (this.isFull) await this.flush();
  }

  /** Resolves when the system has all of it. @throws CephError if a file cannot take it */
  async flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    const [first] = pieces;
    if (first === undefined || this.isGone) return;
    const all = pieces.length === 1 ? first : Buffer.concat(pieces);
    if (!this.#isStream) return writeToFile(all);
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((done) => {
      this.#stream.write(all, done);
    });
    if (error?.code === "EPIPE") this.#reader.gone = true;
  }
}

/** All of it: a disk that is nearly full takes a part. */
function writeToFile(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at);
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    throw new CephError(errno, { op: "write to", target: "standard output", cause: error });
  }
}

/** Writes all of it, or until the reader is gone. */
export async function writeAll(
  texts: Iterable<string>,
  stream: Writable = process.stdout,
): Promise<void> {
  const out = new Output(stream);
  for (const text of texts) {
    if (out.isGone) return;
    await out.write(text);
  }
  await out.flush();
}
