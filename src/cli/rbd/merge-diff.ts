/**
 * Two diffs, one after the other, as one. Both are read once, in the order of their ranges; where both have
 * something the second counts.
 * ceph: src/tools/rbd/action/MergeDiff.cc
 */

import { stat, unlink } from "node:fs/promises";
import { CephError, ERRNO } from "../../base/index.ts";
import { CommandFailure, errnoOf, openSource, type Source } from "../client/index.ts";
import type { Call } from "./call.ts";
import { DIFF_BANNER, ExactReader, NAME_MAX, PIECE_BYTES, RecordWriter } from "./diff-file.ts";
import { Target } from "./export.ts";
import { noProgressOption, pathOption } from "./options.ts";
import { pathName, type Verb } from "./verb.ts";

export const mergeVerbs: readonly Verb[] = [
  {
    name: "merge-diff",
    summary: "Make one difference of two.",
    positional: [
      { name: "diff1-path", help: "the first file; '-' for standard input" },
      { name: "diff2-path", help: "the second file" },
      pathName,
    ],
    options: [pathOption, noProgressOption],
    run: merge,
  },
];

async function merge(call: Call): Promise<void> {
  const first = call.mustWord("first diff was not specified");
  const second = call.mustWord("second diff was not specified");
  const path = call.path();
  const sources: Source[] = [];
  const open = async (name: string) => {
    try {
      if (name !== "-") await stat(name);
      const source = await openSource(name);
      sources.push(source);
      return new DiffReader(source);
    } catch (error) {
      call.warn(`rbd: error opening ${name}`);
      throw error;
    }
  };
  try {
    await call.withProgress("Merging image diff", async (update) => {
      const readers = [await open(first), await open(second)] as const;
      const target = await Target.create(path).catch((error: unknown) => {
        call.warn(`rbd: error create ${path}`);
        throw error;
      });
      try {
        await mergeInto(call, readers, target, update);
      } catch (error) {
        if (target.file !== undefined) await unlink(path);
        throw error;
      } finally {
        await target.close();
      }
    });
  } catch (error) {
    throw new CommandFailure("rbd: merge-diff error", Math.abs(errnoOf(error)), error);
  } finally {
    for (const source of sources) await source.close();
  }
}

/** One of the two: its header, and the range that it is at. */
class DiffReader {
  readonly #reader: ExactReader;
  #tag = "";
  from: Buffer = Buffer.alloc(0);
  to: Buffer = Buffer.alloc(0);
  /** Of the image, bytes. */
  size = 0;
  offset = 0;
  /** What is left of the range; 0: it is over. */
  length = 0;
  isEnd = false;

  constructor(source: Source) {
    this.#reader = new ExactReader(source);
  }

  /** @param warn tells what begins otherwise than a diff does */
  async readHeader(warn: (line: string) => void): Promise<void> {
    const banner = (await this.#reader.exact(DIFF_BANNER[1].length)).toString("latin1");
    if (banner !== DIFF_BANNER[1]) {
      warn(`invalid banner '${banner}', expected '${DIFF_BANNER[1]}'`);
      throw new CephError(-ERRNO.EINVAL, { op: "read", target: "a diff's banner" });
    }
    for (;;) {
      this.#tag = await this.#reader.tag();
      if (this.#tag === "f") this.from = await this.#reader.string(NAME_MAX);
      else if (this.#tag === "t") this.to = await this.#reader.string(NAME_MAX);
      else if (this.#tag === "s") this.size = await this.#reader.u64();
      else return;
    }
  }

  /**
   * Goes to the next range. Behind the last one the image ends; up to the other's end there is nothing.
   * @param otherSize bytes of the other's image
   */
  async next(otherSize: number): Promise<void> {
    const last = this.offset;
    if (this.#tag === "") this.#tag = await this.#reader.tag();
    if (this.#tag === "e") {
      this.isEnd = true;
      this.offset = this.size;
      this.length = Math.max(otherSize - this.size, 0);
    } else {
      if (this.#tag !== "w" && this.#tag !== "z") throw invalidDiff("range");
      this.offset = await this.#reader.u64();
      this.length = await this.#reader.u64();
      if (this.length === 0) throw invalidDiff("length");
    }
    if (last > this.offset) throw invalidDiff("order");
  }

  /** Writes a part of the range, up to all that is left of it. */
  async copy(length: number, target: Target): Promise<void> {
    const tag = this.#tag === "w" ? "w" : "z";
    await target.write(new RecordWriter(1).range(tag, this.offset, length).bytes());
    if (tag === "w") {
      for (let at = 0; at < length; at += PIECE_BYTES) {
        await target.write(await this.#reader.exact(Math.min(PIECE_BYTES, length - at)));
      }
    }
    this.#advance(length);
  }

  /** Leaves out a part of the range. */
  async drop(length: number): Promise<void> {
    if (this.#tag === "w") await this.#reader.skip(length);
    this.#advance(length);
  }

  #advance(length: number): void {
    this.offset += length;
    this.length -= length;
    if (this.length === 0) this.#tag = "";
  }
}

function invalidDiff(what: string): CephError {
  return new CephError(-ERRNO.EOPNOTSUPP, { op: "read", target: `a diff's ${what}` });
}

async function mergeInto(
  call: Call,
  [first, second]: readonly [DiffReader, DiffReader],
  target: Target,
  update: (done: number, total: number) => void,
): Promise<void> {
  const step = async (work: Promise<void>, failure: string) => {
    await work.catch((error: unknown) => {
      call.warn(failure);
      throw error;
    });
  };
  const warn = (line: string) => call.warn(line);
  await step(first.readHeader(warn), "rbd: failed to parse first diff header");
  await step(second.readHeader(warn), "rbd: failed to parse second diff header");
  if (!first.to.equals(second.from)) {
    call.warn("The first TO snapshot must be equal with the second FROM snapshot, aborting");
    throw new CephError(-ERRNO.EINVAL, { op: "merge", target: "two diffs" });
  }
  const header = new RecordWriter(1).text(DIFF_BANNER[1]);
  if (first.from.length > 0) header.tag("f", 0).string(first.from);
  if (second.to.length > 0) header.tag("t", 0).string(second.to);
  await target.write(header.tag("s", 0).u64(second.size).bytes());
  const total = 2 * Math.max(first.size, second.size);
  while (!first.isEnd || !second.isEnd) {
    update(first.offset + second.offset, total);
    if (!first.isEnd && first.length === 0) {
      const next = first.next(second.size);
      await step(next, "rbd: failed to read first diff data chunk header");
    }
    if (!second.isEnd && second.length === 0) {
      const next = second.next(first.size);
      await step(next, "rbd: failed to read second diff data chunk header");
    }
    await step(mergeRange(first, second, target), "rbd: failed to merge diff chunk");
  }
  await target.write(new RecordWriter(1).text("e").bytes());
}

/** What the first has before the second's range goes, then the range; what it has under that is left out. */
async function mergeRange(first: DiffReader, second: DiffReader, target: Target): Promise<void> {
  if (first.length > 0 && first.offset < second.offset) {
    await first.copy(Math.min(second.offset - first.offset, first.length), target);
    if (first.length === 0) return;
  }
  const end = second.offset + second.length;
  if (first.length > 0 && first.offset < end) {
    await first.drop(Math.min(end - first.offset, first.length));
    if (first.length === 0) return;
  }
  if (second.length === 0) return;
  // Where its image ends before the other's there is nothing to say.
  if (second.isEnd) await second.drop(second.length);
  else await second.copy(second.length, target);
}
