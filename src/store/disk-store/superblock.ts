/**
 * The two small files that say what a store is and where its state begins.
 *
 * `superblock`, 4 KiB, written once when the store is made: magic, format version, identity, sizes.
 * `manifest.0` and `manifest.1`, written in turn: the state of one checkpoint. The valid one with the higher
 * generation counts; a torn write spoils only the slot that was the older one.
 *
 * Both: u32 magic, u32 length, u32 crc32c of the body, body, zeros to a multiple of 4 KiB. Body of the
 * superblock: u32 version, 16 bytes uuid, u64 nonce, u32 block size, u64 blocks, u32 segment size. Body of a
 * manifest: u64 nonce, u64 generation, {u64 segment, u64 seq, u32 previous crc} of the journal's start,
 * u64 verified, u64 next object id, u32 next collection id, u64 next run, u32 n, n times {u64 id, u64 bytes}.
 */

import { alignedBuffer } from "../../base/index.ts";
import { crc32c, Reader, Writer } from "../../encoding/index.ts";
import { Uuid } from "../../types/index.ts";
import { type Disk, SECTOR_SIZE } from "../disk/disk.ts";
import { CorruptionError } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import type { JournalStart } from "./journal.ts";
import { type RunInfo, runName } from "./run.ts";

/**
 * Format versions:
 * 1 — the first.
 * 2 — a collection counts the bytes that its objects hold.
 * 3 — a record may move objects to another collection.
 */
export const STORE_VERSION = 3;
const SUPERBLOCK = "superblock";
const SUPERBLOCK_MAGIC = 0x534c5053; // "SPLS"
const MANIFEST_MAGIC = 0x4d4c5053; // "SPLM"
const HEADER_SIZE = 12;

export interface Superblock {
  /** Of the format. */
  readonly version: number;
  readonly uuid: Uuid;
  /** Marks everything this store has written: what is left over from another one does not pass. */
  readonly nonce: bigint;
  readonly blocks: number;
  readonly segmentSize: number;
}

export interface Manifest {
  readonly generation: number;
  readonly journal: JournalStart;
  /** Of transactions up to this one, replay need not ask whether their large writes reached the disk. */
  readonly verified: number;
  readonly nextObjectId: number;
  readonly nextCollectionId: number;
  readonly nextRun: number;
  readonly runs: readonly RunInfo[];
}

/** The directory holds no store, or one that this program must not touch. */
export class StoreFormatError extends Error {
  constructor(why: string) {
    super(why);
    this.name = "StoreFormatError";
  }
}

/** The store is of a format that this program does not know. */
export class NewerStoreError extends StoreFormatError {
  constructor(version: number) {
    super(`the store has format ${version}, this program knows ${STORE_VERSION}`);
    this.name = "NewerStoreError";
  }
}

/** Memory for sealed pieces: they are written before the next is made. */
let sealed: Buffer | undefined;

/** One sealed piece, in memory that direct writes take; good until the next. */
function seal(magic: number, body: Writer): Buffer {
  const bytes = body.finish();
  const size = Math.ceil((HEADER_SIZE + bytes.length) / SECTOR_SIZE) * SECTOR_SIZE;
  if (sealed === undefined || sealed.length < size) sealed = alignedBuffer(size);
  const out = sealed.subarray(0, size).fill(0);
  out.writeUInt32LE(magic, 0);
  out.writeUInt32LE(bytes.length, 4);
  out.writeUInt32LE(crc32c(0, bytes), 8);
  out.set(bytes, HEADER_SIZE);
  return out;
}

/** The body of a sealed piece; undefined if it is not whole. */
function unseal(disk: Disk, name: string, magic: number): Reader | undefined {
  if (!disk.exists(name)) return undefined;
  const file = disk.open(name, "read");
  try {
    const bytes = Buffer.alloc(file.size());
    file.readSync(bytes, 0);
    if (bytes.length < HEADER_SIZE || bytes.readUInt32LE(0) !== magic) return undefined;
    const end = HEADER_SIZE + bytes.readUInt32LE(4);
    if (end > bytes.length) return undefined;
    const intact = crc32c(0, bytes, HEADER_SIZE, end) === bytes.readUInt32LE(8);
    return intact ? new Reader(bytes, HEADER_SIZE, end) : undefined;
  } finally {
    file.close();
  }
}

/** The last step of making a store, before which the directory is not one; and of bringing one up to our format. */
export function writeSuperblock(disk: Disk, sb: Omit<Superblock, "version">): void {
  const w = new Writer();
  w.u32(STORE_VERSION);
  Uuid.encode(w, sb.uuid);
  w.u64(sb.nonce);
  w.u32(BLOCK_SIZE);
  w.u64n(sb.blocks);
  w.u32(sb.segmentSize);
  const temporary = `${SUPERBLOCK}.new`;
  const file = disk.open(temporary, "create");
  try {
    file.writeDurableSync(seal(SUPERBLOCK_MAGIC, w), 0);
    file.syncSync();
  } finally {
    file.close();
  }
  disk.rename(temporary, SUPERBLOCK);
  disk.syncDirectorySync();
}

/** @throws StoreFormatError if there is none, or a newer one; nothing has been touched then */
export function readSuperblock(disk: Disk): Superblock {
  if (!disk.exists(SUPERBLOCK)) throw new StoreFormatError("there is no store in this directory");
  const r = unseal(disk, SUPERBLOCK, SUPERBLOCK_MAGIC);
  if (r === undefined) throw new CorruptionError(SUPERBLOCK, "it is damaged");
  const version = r.u32();
  if (version > STORE_VERSION) throw new NewerStoreError(version);
  const uuid = Uuid.decode(r);
  const nonce = r.u64();
  if (r.u32() !== BLOCK_SIZE) throw new StoreFormatError("the store has another block size");
  return { version, uuid, nonce, blocks: r.u64n(), segmentSize: r.u32() };
}

/** Is there a store in the directory already? */
export function hasSuperblock(disk: Disk): boolean {
  return disk.exists(SUPERBLOCK);
}

function slotOf(generation: number): string {
  return `manifest.${generation % 2}`;
}

export function writeManifest(disk: Disk, nonce: bigint, manifest: Manifest): void {
  const w = new Writer();
  w.u64(nonce);
  w.u64n(manifest.generation);
  w.u64n(manifest.journal.segment);
  w.u64n(manifest.journal.seq);
  w.u32(manifest.journal.previousCrc);
  w.u64n(manifest.verified);
  w.u64n(manifest.nextObjectId);
  w.u32(manifest.nextCollectionId);
  w.u64n(manifest.nextRun);
  w.u32(manifest.runs.length);
  for (const run of manifest.runs) {
    w.u64n(run.id);
    w.u64n(run.bytes);
  }
  const file = disk.open(slotOf(manifest.generation), "create");
  try {
    file.writeDurableSync(seal(MANIFEST_MAGIC, w), 0);
  } finally {
    file.close();
  }
  if (manifest.generation <= 2) disk.syncDirectorySync(); // the slot's name is new
}

/** What one of the two slots holds; undefined if that is not whole. */
export function readManifestSlot(disk: Disk, nonce: bigint, slot: 0 | 1): Manifest | undefined {
  const r = unseal(disk, slotOf(slot), MANIFEST_MAGIC);
  if (r === undefined || r.u64() !== nonce) return undefined;
  return {
    generation: r.u64n(),
    journal: { segment: r.u64n(), seq: r.u64n(), previousCrc: r.u32() },
    verified: r.u64n(),
    nextObjectId: r.u64n(),
    nextCollectionId: r.u32(),
    nextRun: r.u64n(),
    runs: readRuns(r),
  };
}

/** The newest whole manifest. */
export function readManifest(disk: Disk, nonce: bigint): Manifest {
  const [a, b] = [readManifestSlot(disk, nonce, 0), readManifestSlot(disk, nonce, 1)];
  const best = a === undefined || (b !== undefined && b.generation > a.generation) ? b : a;
  if (best === undefined) throw new CorruptionError("manifest", "both copies are damaged");
  return best;
}

function readRuns(r: Reader): RunInfo[] {
  const runs: RunInfo[] = [];
  for (let n = r.count(16); n > 0; n--) {
    const id = r.u64n();
    runs.push({ id, name: runName(id), bytes: r.u64n() });
  }
  return runs;
}
