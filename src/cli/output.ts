/**
 * Output that may be long: written piece by piece, no faster than it is read, and ended quietly when the
 * reader has seen enough (`spirula store dump DIR | head`).
 */

import process from "node:process";
import type { Writable } from "node:stream";

/** Text gathered before it is written. */
const PIECE_LENGTH = 1 << 16;

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

/** Writes all of it, or until the reader is gone. */
export async function writeAll(
  texts: Iterable<string>,
  stream: Writable = process.stdout,
): Promise<void> {
  const reader = watch(stream);
  let piece = "";
  const put = () => new Promise<void>((done) => void stream.write(piece, () => done()));
  for (const text of texts) {
    if (reader.gone) return;
    piece += text;
    if (piece.length < PIECE_LENGTH) continue;
    await put();
    piece = "";
  }
  if (piece !== "") await put();
}
