/**
 * Files that commands read and write by name, where `-` is standard input or output.
 */

import { read } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import { CephError, ERRNO, SpareMemory } from "../../base/index.ts";
import { isStream } from "./is-stream.ts";
import { Output } from "./output.ts";

/** Bytes of one read of standard input, or of a file that is read whole. */
const READ_BYTES = 64 * 1024;
const STDIN = 0;

export interface Source {
  /**
   * The pieces in order, each of `size` bytes, but for the last.
   * @param memory what pieces are read into; who has one may give it back there
   * @throws NodeJS.ErrnoException
   */
  pieces(size: number, memory?: SpareMemory): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

/** @param path `-`: standard input @throws NodeJS.ErrnoException if it cannot be opened */
export async function openSource(path: string): Promise<Source> {
  if (path !== "-") return new FileSource(await open(path, "r"));
  return isStream(STDIN) ? new InputSource() : new FileSource(INPUT_FILE);
}

/** Read from where the last read has ended. */
type OpenFile = Pick<FileHandle, "read" | "close">;

const INPUT_FILE: OpenFile = {
  read: promisify(read).bind(undefined, STDIN),
  close: async () => undefined,
};

/** All of it. @throws NodeJS.ErrnoException */
export async function readWhole(path: string): Promise<Buffer> {
  const source = await openSource(path);
  try {
    const pieces: Buffer[] = [];
    for await (const piece of source.pieces(READ_BYTES)) pieces.push(piece);
    return Buffer.concat(pieces);
  } finally {
    await source.close();
  }
}

class FileSource implements Source {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  async *pieces(size: number, memory = new SpareMemory()): AsyncGenerator<Buffer> {
    for (;;) {
      // Not the same for each: a piece may be on its way when the next is read.
      const piece = memory.take(size);
      let length = 0;
      while (length < size) {
        const { bytesRead } = await this.#file.read(piece, length, size - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > 0) yield piece.subarray(0, length);
      if (length < size) return;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

class InputSource implements Source {
  async *pieces(size: number): AsyncGenerator<Buffer> {
    let held: Buffer[] = [];
    let length = 0;
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      held.push(chunk);
      length += chunk.length;
      if (length < size) continue;
      const all = Buffer.concat(held);
      let at = 0;
      for (; all.length - at >= size; at += size) yield all.subarray(at, at + size);
      held = at === all.length ? [] : [all.subarray(at)];
      length = all.length - at;
    }
    if (length > 0) yield Buffer.concat(held);
  }

  async close(): Promise<void> {
    process.stdin.destroy();
  }
}

export interface Sink {
  /** @throws NodeJS.ErrnoException, CephError: not all of it is there; EPIPE: nobody reads it any more */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file that is made, or made empty, for writing.
 * @param path `-`: standard output @param mode of a new file
 * @throws NodeJS.ErrnoException if it cannot be opened
 */
export async function openSink(path: string, mode = 0o644): Promise<Sink> {
  if (path !== "-") return new FileSink(await open(path, "w", mode));
  const out = new Output();
  return {
    write: async (bytes) => {
      out.put(bytes);
      await out.flush();
      if (!out.isGone) return;
      throw new CephError(-ERRNO.EPIPE, { op: "write to", target: "standard output" });
    },
    close: async () => undefined,
  };
}

class FileSink implements Sink {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at);
      at += bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
