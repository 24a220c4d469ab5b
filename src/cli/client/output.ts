/**
 * What a command prints: gathered, written no faster than it is read, and given up quietly when nobody reads it
 * any more (`spirula rados ls | head`).
 *
 * Text is UTF-8; names that are not come out byte for byte as they went in, see `nameText`.
 */

import process from "node:process";
import type { Writable } from "node:stream";
import { bytesOf, nameBytes } from "../../encoding/index.ts";

/** Bytes gathered before they are written. */
const PIECE_BYTES = 1 << 16;

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
  readonly #reader: { readonly gone: boolean };
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(stream: Writable = process.stdout) {
    this.#stream = stream;
    this.#reader = watch(stream);
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

  /** Resolves when the system has all of it. */
  async flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    if (pieces.length === 0 || this.isGone) return;
    const all = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    await new Promise<void>((done) => void this.#stream.write(all, () => done()));
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
