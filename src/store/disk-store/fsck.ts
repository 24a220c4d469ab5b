/**
 * The check of a whole store, offline: superblock, manifest, every block of the index, the journal, and
 * the state that recovery makes of them (check-state.ts). Changes nothing but the lock.
 *
 * A store that was not closed cleanly is checked as recovery would find it. Damage that opening would
 * refuse is a fault like any other, with one difference: what could not be read cannot be checked.
 */

import { AssertionError } from "../../base/index.ts";
import { DecodeError } from "../../encoding/index.ts";
import type { Disk } from "../disk/disk.ts";
import { FileDisk } from "../disk/file.ts";
import { readOnlyDisk } from "../disk/read-only.ts";
import { CorruptionError } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { Faults, type ObjectCheck, StateChecker } from "./check-state.ts";
import { JournalError } from "./journal.ts";
import { BLOCK, JOURNAL, type Recovered, recover } from "./open.ts";
import { BlockCache, openRun } from "./run.ts";
import type { StoreState } from "./state.ts";
import { hasSuperblock, type Manifest, readManifest, readSuperblock } from "./superblock.ts";

/** Memory for the index's caches while checking. */
const MEMORY_BYTES = 64 << 20;

export interface FsckReport {
  /** One line each; empty: the store is sound. At most 1000 of them. */
  readonly faults: string[];
  /** All that were found. */
  readonly faultCount: number;
  readonly collections: number;
  readonly objects: number;
  /** Bytes of blocks in use, shared ones once. */
  readonly data: number;
  /** Nothing is left to replay: it was closed. */
  readonly clean: boolean;
  /** False: what the faults name keeps the rest from being read, so that nothing is known of it. */
  readonly complete: boolean;
}

export interface FsckOptions {
  /** Read all data and compare it with its checksums. @default false */
  deep?: boolean;
  /** @default the real files of the directory */
  disk?: Disk;
  /** There must be a store: having none is a fault, not a mistake in the directory's name. */
  expected?: boolean;
  /** What the store's user knows of the objects. */
  check?: ObjectCheck;
}

/** Takes a store for reading. Where nobody can write, nobody need be kept out. */
export function lockForReading(disk: Disk): () => void {
  try {
    return disk.lock();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EROFS") throw error;
    return () => {};
  }
}

/** Damage in words; undefined for an error that says nothing of the store. */
export function damageOf(error: unknown): string | undefined {
  if (error instanceof CorruptionError || error instanceof JournalError) return error.message;
  if (error instanceof DecodeError || error instanceof AssertionError) {
    return `index: ${error.message}`;
  }
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  // The disk's own refusal, or a file that is gone.
  return error.code === "EIO" || error.code === "ENOENT" ? error.message : undefined;
}

function report(
  faults: Faults,
  state: StoreState | undefined,
  options: FsckOptions,
  clean: boolean,
): FsckReport {
  let objects = 0;
  let complete = false;
  if (state !== undefined) {
    const { deep = false, check } = options;
    const checker = new StateChecker({ state, faults, deep, check });
    complete = noting(faults, () => checker.run()) ?? false;
    ({ objects } = checker);
  }
  return {
    faults: faults.lines,
    faultCount: faults.count,
    collections: state?.collections.size ?? 0,
    objects,
    data: (state?.allocator.used ?? 0) * BLOCK_SIZE,
    clean,
    complete,
  };
}

/** Runs a part of the check: damage that ends it is a fault. Undefined then. */
function noting<T>(faults: Faults, part: () => T): T | undefined {
  try {
    return part();
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    faults.add(damage);
    return undefined;
  }
}

/** Every block of every run. */
function checkRuns(disk: Disk, nonce: bigint, manifest: Manifest, faults: Faults): void {
  const cache = new BlockCache(0);
  for (const info of manifest.runs) {
    noting(faults, () => {
      const run = openRun({ disk, nonce, cache, info });
      try {
        for (const line of run.damage()) faults.add(line);
      } finally {
        run.close();
      }
    });
  }
}

function checkSizes(disk: Disk, found: Recovered, faults: Faults): void {
  const size = (name: string): number => {
    const file = disk.open(name, "read");
    try {
      return file.size();
    } finally {
      file.close();
    }
  };
  const blocks = size(BLOCK) / BLOCK_SIZE;
  const wanted = found.superblock.blocks;
  if (blocks < wanted) faults.add(`${BLOCK}: ${blocks} blocks long, ${wanted} wanted`);
  if (size(JOURNAL) === 0) faults.add(`${JOURNAL}: is empty`);
}

/**
 * Checks the store in a directory, as opening it would find it. Writes nothing but the lock.
 * @throws StoreFormatError if there is no store or a newer one, DiskLockedError: nothing was looked at then
 */
export function fsck(directory: string, options: FsckOptions = {}): FsckReport {
  const disk = options.disk ?? new FileDisk(directory);
  const faults = new Faults();
  if (!hasSuperblock(disk) && (options.expected === true || disk.exists(BLOCK))) {
    faults.add("superblock: it is missing");
    return report(faults, undefined, options, false);
  }
  // A newer store is refused before a lock file is made.
  const superblock = noting(faults, () => readSuperblock(disk));
  if (superblock === undefined) return report(faults, undefined, options, false);
  const unlock = lockForReading(disk);
  try {
    const manifest = noting(faults, () => readManifest(disk, superblock.nonce));
    if (manifest !== undefined) checkRuns(disk, superblock.nonce, manifest, faults);
    // What is said of a state whose index is damaged would be noise.
    if (faults.count > 0) return report(faults, undefined, options, false);
    const found = noting(faults, () => recover(readOnlyDisk(disk), MEMORY_BYTES));
    if (found === undefined) return report(faults, undefined, options, false);
    try {
      checkSizes(disk, found, faults);
      // A batch may be there only to say that all is durable.
      const isClean = found.lastSeq < found.manifest.journal.seq;
      return report(faults, found.state, options, isClean);
    } finally {
      found.close();
    }
  } finally {
    unlock();
  }
}
