/**
 * Making a store and opening one: identity, recovery from the last checkpoint, replay of the journal.
 */

import {
  BufferPool,
  type Clock,
  type Logger,
  type Random,
  randomU64,
  silentLogger,
  systemClock,
  systemRandom,
} from "../../base/index.ts";
import { uuidFromBytes } from "../../types/index.ts";
import type { Disk } from "../disk/disk.ts";
import { FileDisk } from "../disk/file.ts";
import { Allocator, BLOCK_SIZE } from "./allocator.ts";
import { BlockFile } from "./block-file.ts";
import type { CommitMode } from "./committer.ts";
import { DiskStore } from "./disk-store.ts";
import { Journal, type JournalOptions, readJournal, recordsOf, zeroJournal } from "./journal.ts";
import { RunKv } from "./kv.ts";
import type { StoreParts } from "./parts.ts";
import { Replayer } from "./record.ts";
import { StoreState } from "./state.ts";
import {
  hasSuperblock,
  type Manifest,
  readManifest,
  readSuperblock,
  STORE_VERSION,
  StoreFormatError,
  type Superblock,
  writeManifest,
  writeSuperblock,
} from "./superblock.ts";

export const JOURNAL = "journal";
export const BLOCK = "block";
const SEGMENT_SIZE = 8 << 20;
const SEGMENTS = 4;
const MEMORY_DEFAULT = 64 << 20;
const INDEX_SHARE = 3 / 4;
/** Memory for bulk data on its way, when the owner has none to share. */
const POOL_BYTES = 8 << 20;
/** Journal segments must hold a transaction of some size: see `recordMax`. */
const SEGMENT_SIZE_MIN = 64 << 10;
/**
 * How far each opening moves the numbers of journal segments on: past all that may have been begun since the
 * manifest in force, seen or not. What a power cut has left behind the file's end is not seen, and may be once
 * the file grows again: with a number of its own it is taken for nothing else.
 */
const SEGMENTS_PER_OPENING = 2 ** 24;

export interface CreateOptions {
  /** @default the real files of the directory */
  disk?: Disk;
  random?: Random;
  /** Bytes of data the store may hold. @default what the file system has free */
  capacityBytes?: number;
  /** Bytes of one journal segment, a multiple of 4 KiB. @default 8 MiB */
  segmentSize?: number;
  /** Journal segments made at once; it grows when a checkpoint is late. @default 4 */
  segments?: number;
}

export interface OpenOptions {
  /** @default the real files of the directory */
  disk?: Disk;
  clock?: Clock;
  log?: Logger;
  /** Memory for caches and for small writes that are not home yet. @default 64 MiB */
  memoryBytes?: number;
  /** Memory for bulk data on its way, shared with whoever hands data in and takes it out. @default 8 MiB */
  pool?: BufferPool;
  /** @default "auto" */
  commit?: CommitMode;
  /** Part of the file system's reserve that objects, attributes and omap may take; data takes none. @default 3/4 */
  indexShare?: number;
}

/**
 * Makes an empty store in a directory (made if absent). The superblock comes last: a crash before it
 * leaves a directory without a store, and the next attempt starts over.
 * @throws StoreFormatError if there is a store already
 */
export function createStore(directory: string, options: CreateOptions = {}): void {
  const disk = options.disk ?? FileDisk.make(directory);
  const random = options.random ?? systemRandom;
  const segmentSize = options.segmentSize ?? SEGMENT_SIZE;
  if (segmentSize % BLOCK_SIZE !== 0 || segmentSize < SEGMENT_SIZE_MIN) {
    throw new RangeError(`a journal segment of ${segmentSize} bytes`);
  }
  if (hasSuperblock(disk)) throw new StoreFormatError(`${directory} holds a store already`);
  const capacity = options.capacityBytes ?? disk.space().available;
  // Block numbers are 32 bits, with one value for "none": 16 TiB.
  const blocks = Math.min(Math.floor(capacity / BLOCK_SIZE), 2 ** 32 - 2);
  if (blocks < 1) throw new RangeError(`a store of ${capacity} bytes`);
  const superblock: Omit<Superblock, "version"> = {
    uuid: uuidFromBytes(random.bytes(16)),
    nonce: randomU64(random),
    blocks,
    segmentSize,
  };
  const journal = disk.open(JOURNAL, "create");
  zeroJournal(journal, segmentSize * (options.segments ?? SEGMENTS));
  journal.close();
  const block = disk.open(BLOCK, "create");
  block.truncate(blocks * BLOCK_SIZE); // sparse: data takes space as it comes
  block.syncSync();
  block.close();
  writeManifest(disk, superblock.nonce, {
    generation: 1,
    journal: { segment: 1, seq: 1, previousCrc: 0 },
    verified: 0,
    nextObjectId: 1,
    nextCollectionId: 1,
    nextRun: 1,
    runs: [],
  });
  writeSuperblock(disk, superblock);
}

/** What is on the disk, brought up to the last transaction that counts. */
export interface Recovered {
  superblock: Superblock;
  manifest: Manifest;
  kv: RunKv;
  state: StoreState;
  journal: JournalOptions;
  lastSeq: number;
  /** Highest segment number seen; 0: the journal is empty. */
  lastSegment: number;
  close: () => void;
}

/** Reads checkpoint and journal. Writes nothing. */
export function recover(
  disk: Disk,
  memoryBytes: number,
  pool: BufferPool = new BufferPool(POOL_BYTES, systemClock),
): Recovered {
  const superblock = readSuperblock(disk);
  const manifest = readManifest(disk, superblock.nonce);
  const opened: { close(): void }[] = [];
  const close = () => {
    for (const each of opened) each.close();
  };
  const keep = <T extends { close(): void }>(each: T): T => {
    opened.push(each);
    return each;
  };
  try {
    const kv = keep(
      new RunKv({
        disk,
        nonce: superblock.nonce,
        runs: manifest.runs,
        nextRun: manifest.nextRun,
        cacheBytes: memoryBytes / 8,
      }),
    );
    const file = keep(disk.open(JOURNAL, "write"));
    const state = new StoreState({
      kv,
      blocks: new BlockFile(keep(disk.open(BLOCK, "write")), pool),
      allocator: new Allocator(superblock.blocks),
      nextObjectId: manifest.nextObjectId,
      nextCollectionId: manifest.nextCollectionId,
      onodeBytesMax: memoryBytes / 2,
    });
    const journal: JournalOptions = {
      file,
      nonce: superblock.nonce,
      segmentSize: superblock.segmentSize,
      // A segment that was added late ends where its last batch does.
      segments: Math.ceil(file.size() / superblock.segmentSize),
    };
    const tail = readJournal(journal, manifest.journal);
    const lastSeq = replay(state, tail, manifest);
    if (superblock.version < 2) state.recountStored();
    else state.countStored();
    const { lastSegment } = tail;
    return { superblock, manifest, kv, state, journal, lastSeq, lastSegment, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** @returns the last transaction that counts */
function replay(
  state: StoreState,
  tail: ReturnType<typeof readJournal>,
  manifest: Manifest,
): number {
  const replayer = new Replayer(state);
  const trusted = Math.max(tail.watermark, manifest.verified);
  let last = manifest.journal.seq - 1;
  for (const batch of tail.batches) {
    for (const [seq, record] of recordsOf(batch)) {
      // The log ends before a transaction whose large writes had not arrived: it was not told durable.
      if (seq > trusted && !replayer.dataArrived(record)) return last;
      replayer.replay(record);
      for (const block of state.freed) state.allocator.release(block);
      state.freed = [];
      last = seq;
    }
  }
  return last;
}

/** Files that no manifest names: what a crash has left of checkpoints and merges. */
function removeStrays(disk: Disk, manifest: Manifest): void {
  const named = new Set(manifest.runs.map((run) => run.name));
  for (const name of disk.list()) {
    const stray = name.startsWith("run.") && !named.has(name);
    if (stray || name === "superblock.new") disk.removeSync(name);
  }
}

/**
 * Opens the store in a directory: takes its lock, recovers, and leaves it checkpointed.
 * @throws StoreFormatError if there is none or a newer one; DiskLockedError; CorruptionError or JournalError
 *   if it cannot be what was written, and opening it would lose acknowledged changes
 */
export async function openStore(directory: string, options: OpenOptions = {}): Promise<DiskStore> {
  const disk = options.disk ?? new FileDisk(directory);
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLogger;
  const memoryBytes = options.memoryBytes ?? MEMORY_DEFAULT;
  readSuperblock(disk); // refuses a newer store before a lock file is made
  const unlock = disk.lock();
  let abandon: () => void | Promise<void> = unlock;
  try {
    const pool = options.pool ?? new BufferPool(POOL_BYTES, clock);
    const found = recover(disk, memoryBytes, pool);
    const release = () => {
      found.close();
      unlock();
    };
    abandon = release;
    const { superblock, state, kv, lastSeq } = found;
    let { manifest } = found;
    removeStrays(disk, manifest);
    const segment = Math.max(found.lastSegment, manifest.journal.segment) + SEGMENTS_PER_OPENING;
    manifest = {
      ...manifest,
      generation: manifest.generation + 1,
      ...(found.lastSegment > 0
        ? // The checkpoint below overwrites blocks whose old content a crash during it would check again:
          // first it must be on disk that all has been checked.
          { verified: lastSeq }
        : { journal: { ...manifest.journal, segment } }),
    };
    writeManifest(disk, superblock.nonce, manifest);
    const parts: StoreParts = {
      disk,
      clock,
      log,
      superblock,
      manifest,
      journal: new Journal(found.journal, {
        segment,
        seq: lastSeq + 1,
        previousCrc: manifest.journal.previousCrc,
      }),
      kv,
      state,
      lastSeq,
      memoryBytes,
      commit: options.commit ?? "auto",
      indexShare: options.indexShare ?? INDEX_SHARE,
      release,
    };
    const store = new DiskStore(parts);
    abandon = () => store.close(); // which waits for what is under way in the files
    if (found.lastSegment > 0) {
      const replayed = lastSeq + 1 - manifest.journal.seq;
      log.info("journal replayed", { transactions: replayed, last: lastSeq });
      await store.checkpoint();
      state.blocks.pending.trim();
    }
    if (superblock.version < STORE_VERSION) {
      // First all that the format adds, then its number: a crash between the two begins anew.
      await store.checkpoint();
      writeSuperblock(disk, superblock);
      log.info("store brought up to date", { from: superblock.version, to: STORE_VERSION });
    }
    store.opened();
    return store;
  } catch (error) {
    await abandon();
    throw error;
  }
}
