/**
 * The ordered index under the durable store: byte-string keys to bytes.
 *
 * A table in memory takes every change; the journal makes them durable. A checkpoint sets the table
 * aside, writes it out as a run (run.ts) and names the run in the manifest; only then is it dropped.
 * Reads look in the table, the one set aside, and the runs from new to old. Runs are merged when the
 * newer ones together have grown to the size of the next: each entry is rewritten log(n) times.
 */

import { assert } from "../../base/index.ts";
import { type Disk, DiskFullError } from "../disk/disk.ts";
import { NoSpaceError } from "../object-store.ts";
import { type Cursor, MergeCursor } from "./cursor.ts";
import { KeyHash } from "./key-filter.ts";
import { BlockCache, GONE, openRun, type Run, type RunInfo, runName, writeRun } from "./run.ts";
import { SlabPool, Table } from "./table.ts";

/** What the store asks of its index. */
export interface Kv {
  /** Good until the next call: copy what is to be kept. */
  get(key: string): Uint8Array | undefined;
  /** Keeps a copy of `value`. */
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** Entries of `[from, to)` in byte order, read as consumed; each value is good until the next call. */
  entries(from: string, to: string): IterableIterator<[string, Uint8Array]>;
  /** Bytes held in memory for changes since the last checkpoint, about. */
  readonly tableBytes: number;
}

/** Merging leaves at most this many runs behind, whatever their sizes. */
const RUNS_MAX = 8;
export class RunKv implements Kv {
  readonly #disk: Disk;
  readonly #nonce: bigint;
  readonly #cache: BlockCache;
  readonly #slabs = new SlabPool();
  #table = new Table(this.#slabs);
  #frozen: Table | undefined;
  /** Newest first. */
  #runs: Run[] = [];
  #nextRun: number;
  /** Files to remove once no manifest names them. */
  #obsolete: Run[] = [];
  #version = 0;
  readonly #hash = new KeyHash();

  constructor(options: {
    disk: Disk;
    nonce: bigint;
    runs: readonly RunInfo[];
    nextRun: number;
    cacheBytes: number;
  }) {
    this.#disk = options.disk;
    this.#nonce = options.nonce;
    this.#cache = new BlockCache(options.cacheBytes);
    this.#nextRun = options.nextRun;
    try {
      for (const info of options.runs) this.#runs.push(this.#openRun(info));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #openRun(info: RunInfo): Run {
    return openRun({ disk: this.#disk, nonce: this.#nonce, cache: this.#cache, info });
  }

  get runs(): readonly RunInfo[] {
    return this.#runs.map((run) => run.info);
  }

  get nextRun(): number {
    return this.#nextRun;
  }

  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** Bytes of what no run has yet, about. */
  get unsavedBytes(): number {
    return this.#table.bytes + (this.#frozen?.bytes ?? 0);
  }

  /** Bytes of the runs' files. */
  get diskBytes(): number {
    return this.#runs.reduce((sum, run) => sum + run.info.bytes, 0);
  }

  get(key: string): Uint8Array | undefined {
    let value = this.#table.get(key) ?? this.#frozen?.get(key);
    if (value === undefined) {
      const hash = this.#hash.of(key);
      for (let i = 0; value === undefined && i < this.#runs.length; i++) {
        value = this.#runs[i]!.get(key, hash);
      }
    }
    return value === GONE ? undefined : value;
  }

  put(key: string, value: Uint8Array): void {
    if (this.#table.put(key, value)) this.#version++;
  }

  delete(key: string): void {
    if (this.#table.delete(key)) this.#version++;
  }

  *entries(from: string, to: string): IterableIterator<[string, Uint8Array]> {
    let next = from;
    for (;;) {
      const version = this.#version;
      let restart = false;
      for (const cursor = this.#cursor(next); cursor.key !== undefined; cursor.next()) {
        const { key } = cursor;
        if (key >= to) return;
        const value = cursor.value();
        if (value === GONE) continue;
        yield [key, value];
        if (version !== this.#version) {
          // Something changed meanwhile: look again behind the key just given.
          next = `${key}\x00`;
          restart = true;
          break;
        }
      }
      if (!restart) return;
    }
  }

  #cursor(from: string): Cursor {
    const cursors: Cursor[] = [];
    if (this.#table.size > 0) cursors.push(this.#table.cursor(from));
    if (this.#frozen) cursors.push(this.#frozen.cursor(from));
    for (const run of this.#runs) cursors.push(run.cursor(from, false));
    return cursors.length === 1 ? cursors[0]! : new MergeCursor(cursors);
  }

  /** Sets the table aside for `writeFrozen`; changes from now on belong to the next checkpoint. */
  freeze(): void {
    assert(this.#frozen === undefined, "two checkpoints at once");
    this.#frozen = this.#table;
    this.#table = new Table(this.#slabs);
    this.#version++;
  }

  /**
   * Writes what was set aside as a run, stable on return; it counts once a manifest names it.
   * @throws DiskFullError; everything is as before then
   */
  async writeFrozen(): Promise<void> {
    const frozen = this.#frozen;
    if (frozen === undefined || frozen.size === 0) {
      this.#frozen = undefined;
      return;
    }
    const info = await this.#write(frozen.cursor(), frozen.size, {});
    this.#runs.unshift(this.#openRun(info));
    this.#frozen = undefined;
    frozen.drop();
    this.#version++;
  }

  async #write(
    entries: Cursor,
    expected: number,
    how: { dropGone?: boolean; mayGrow?: () => void },
  ): Promise<RunInfo> {
    const id = this.#nextRun++;
    const disk = this.#disk;
    try {
      return await writeRun({ disk, nonce: this.#nonce, id, entries, expected, ...how });
    } catch (error) {
      const isGivenUp = error instanceof NoSpaceError || error instanceof DiskFullError;
      if (isGivenUp && disk.exists(runName(id))) await disk.remove(runName(id));
      throw error;
    }
  }

  /**
   * Merges runs if that is due, as many as there is room for; one merge at a time. The outcome counts with
   * the next checkpoint's manifest: one written now could name the run of a checkpoint that is half done.
   * Runs that checkpoints write meanwhile are newer than all that are merged, and stay in front.
   * @param room bytes that may be written, as things are now: below zero, a merge under way is given up
   */
  async merge(room: () => number): Promise<void> {
    await this.#mergeRuns(this.#pickMerge(room()), room);
  }

  /** Merges all runs, due or not, as `merge` does. @returns false if there is no room: they are as they were */
  async mergeAll(room: () => number): Promise<boolean> {
    return this.diskBytes <= room() && (await this.#mergeRuns(this.#runs.slice(), room));
  }

  async #mergeRuns(picked: readonly Run[], room: () => number): Promise<boolean> {
    if (picked.length < 2) return true;
    const oldest = picked.at(-1) === this.#runs.at(-1);
    const merged = new MergeCursor(picked.map((run) => run.cursor("", true)));
    const expected = picked.reduce((sum, run) => sum + run.total, 0);
    const mayGrow = () => {
      if (room() < 0) throw new NoSpaceError();
    };
    try {
      const info = await this.#write(merged, expected, { dropGone: oldest, mayGrow });
      const at = this.#runs.indexOf(picked[0]!);
      this.#runs.splice(at, picked.length, this.#openRun(info));
      this.#obsolete.push(...picked);
      this.#version++;
      return true;
    } catch (error) {
      if (!(error instanceof NoSpaceError) && !(error instanceof DiskFullError)) throw error;
      return false;
    }
  }

  /** The newest runs up to the last that is not much larger than all before it, and fits. */
  #pickMerge(room: number): Run[] {
    let count = 1;
    let sum = this.#runs[0]?.info.bytes ?? 0;
    for (let i = 1; i < this.#runs.length; i++) {
      const { bytes } = this.#runs[i]!.info;
      if (sum + bytes > room) break;
      if (bytes <= 2 * sum || this.#runs.length > RUNS_MAX) count = i + 1;
      sum += bytes;
    }
    return count < 2 || this.#runs.length < 4 ? [] : this.#runs.slice(0, count);
  }

  /** The manifest just written names exactly the present runs: others' files go. */
  async dropObsolete(): Promise<void> {
    const obsolete = this.#obsolete;
    this.#obsolete = [];
    for (const run of obsolete) run.close();
    for (const run of obsolete) await this.#disk.remove(run.info.name);
  }

  close(): void {
    for (const run of [...this.#runs, ...this.#obsolete]) run.close();
  }
}
