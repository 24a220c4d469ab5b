/**
 * A store seen from outside, for people and tools: what each file says, and what recovery makes of it.
 * Reads only, also a store that was not closed; every part that is damaged says so, and the rest is shown.
 */

import type { HObject } from "../../types/index.ts";
import type { Disk } from "../disk/disk.ts";
import { FileDisk } from "../disk/file.ts";
import { readOnlyDisk } from "../disk/read-only.ts";
import { objectKey, objectOfKey } from "../object-key.ts";
import type { CollectionId } from "../object-store.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { damageOf, lockForReading } from "./fsck.ts";
import { readJournal } from "./journal.ts";
import { objectPrefix, omapPrefix, prefixEnd } from "./keys.ts";
import { type CollectionState, type Onode, SHARD_BLOCKS } from "./onode.ts";
import { JOURNAL, type Recovered, recover } from "./open.ts";
import { BlockCache, openRun } from "./run.ts";
import {
  type Manifest,
  readManifest,
  readManifestSlot,
  readSuperblock,
  type Superblock,
} from "./superblock.ts";

/** Memory for the index's caches. */
const MEMORY_BYTES = 32 << 20;

/** A part of the store, or what keeps it from being read. */
export type Part<T> = { readonly value: T } | { readonly damage: string };

/** Batches of one journal segment since the last checkpoint. */
export interface SegmentView {
  readonly segment: number;
  batches: number;
  readonly first: number;
  /** Transactions `first` to `last`; batches that only carry the watermark have none. */
  last: number;
  bytes: number;
}

export interface JournalView {
  readonly bytes: number;
  readonly segments: readonly SegmentView[];
  /** All transactions up to it were durable, large writes included. */
  readonly watermark: number;
}

export interface RunView {
  readonly id: number;
  readonly bytes: number;
  /** Lines; empty: it is whole. */
  readonly damage: readonly string[];
}

export interface CollectionView {
  readonly name: CollectionId;
  readonly id: number;
  readonly objects: number;
  /** Allocated for data, shared blocks counted once. */
  readonly bytes: number;
}

/** Blocks in a row, of the object and of the store, with the same number of owners. */
export interface ExtentView {
  readonly offset: number;
  readonly length: number;
  readonly block: number;
  readonly owners: number;
  readonly crcs: readonly number[];
}

export interface ObjectView {
  readonly collection: CollectionId;
  readonly object: HObject;
  readonly id: number;
  readonly size: number;
  /** Blocks it owns, alone or with others, in bytes. */
  readonly bytes: number;
}

export interface ObjectDetail extends ObjectView {
  readonly attrs: readonly (readonly [name: string, value: Uint8Array])[];
  readonly omapHeader: Uint8Array;
  readonly extents: readonly ExtentView[];
  /** In order, read as consumed. */
  omap(): Iterable<[key: string, value: Uint8Array]>;
}

/** What recovery has made of the files. */
export interface StateView {
  /** The last transaction that counts. */
  readonly last: number;
  readonly objects: number;
  readonly bytes: number;
  readonly collections: readonly CollectionView[];
}

export class StoreInspection {
  readonly superblock: Superblock & { readonly blockSize: number };
  /** By slot; undefined: not whole. */
  readonly manifests: readonly (Manifest | undefined)[];
  readonly manifest: Part<Manifest>;
  readonly journal: Part<JournalView>;
  readonly runs: readonly RunView[];
  readonly state: Part<StateView>;
  readonly #found: Recovered | undefined;

  /** @throws StoreFormatError, CorruptionError if not even the superblock can be read */
  constructor(disk: Disk) {
    const superblock = readSuperblock(disk);
    const { nonce } = superblock;
    this.superblock = { ...superblock, blockSize: BLOCK_SIZE };
    this.manifests = ([0, 1] as const).map((slot) => readManifestSlot(disk, nonce, slot));
    this.manifest = attempt(() => readManifest(disk, nonce));
    const manifest = "value" in this.manifest ? this.manifest.value : undefined;
    this.runs = manifest === undefined ? [] : viewRuns(disk, nonce, manifest);
    this.journal =
      manifest === undefined
        ? { damage: "without a manifest nobody knows where it begins" }
        : attempt(() => viewJournal(disk, superblock, manifest));
    const found = attempt(() => recover(readOnlyDisk(disk), MEMORY_BYTES));
    this.#found = "value" in found ? found.value : undefined;
    this.state = "value" in found ? { value: viewState(found.value) } : found;
  }

  /** Is every part readable? */
  get isWhole(): boolean {
    return "value" in this.state && this.runs.every((run) => run.damage.length === 0);
  }

  #collection(name: CollectionId): { found: Recovered; c: CollectionState } | undefined {
    const found = this.#found;
    const c = found?.state.collections.get(name);
    return found === undefined || c === undefined ? undefined : { found, c };
  }

  /** A collection's objects in the order of listings. */
  *objects(collection: CollectionId): IterableIterator<ObjectView> {
    const at = this.#collection(collection);
    if (at === undefined) return;
    const prefix = objectPrefix(at.c.id);
    for (const [name] of at.found.state.kv.entries(prefix, prefixEnd(prefix))) {
      const o = at.found.state.find(at.c, name.slice(prefix.length));
      if (o !== undefined) yield viewObject(o);
    }
  }

  /** The same without looking at them: names only. */
  *names(collection: CollectionId): IterableIterator<HObject> {
    const at = this.#collection(collection);
    if (at === undefined) return;
    const prefix = objectPrefix(at.c.id);
    for (const [name] of at.found.state.kv.entries(prefix, prefixEnd(prefix))) {
      yield objectOfKey(name.slice(prefix.length));
    }
  }

  object(collection: CollectionId, object: HObject): ObjectDetail | undefined {
    const at = this.#collection(collection);
    const o = at?.found.state.find(at.c, objectKey(object));
    if (at === undefined || o === undefined) return undefined;
    const { state } = at.found;
    return {
      ...viewObject(o),
      attrs: [...o.attrs].sort(([a], [b]) => (a < b ? -1 : 1)),
      omapHeader: o.omapHeader,
      extents: viewExtents(o, (block) => 1 + state.allocator.extraRefs(block)),
      *omap() {
        const prefix = omapPrefix(o.id);
        for (const [key, value] of state.kv.entries(prefix, prefixEnd(prefix))) {
          yield [key.slice(prefix.length), value];
        }
      },
    };
  }

  close(): void {
    this.#found?.close();
  }
}

/**
 * Looks at the store in a directory.
 * @throws StoreFormatError, CorruptionError; DiskLockedError if it is in use
 */
export function inspectStore(
  directory: string,
  disk: Disk = new FileDisk(directory),
): { inspection: StoreInspection; close: () => void } {
  readSuperblock(disk); // refuses a newer store before a lock file is made
  const unlock = lockForReading(disk);
  try {
    const inspection = new StoreInspection(disk);
    return {
      inspection,
      close: () => {
        inspection.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function attempt<T>(part: () => T): Part<T> {
  try {
    return { value: part() };
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    return { damage };
  }
}

function viewRuns(disk: Disk, nonce: bigint, manifest: Manifest): RunView[] {
  return manifest.runs.map((info) => {
    const found = attempt(() => {
      const run = openRun({ disk, nonce, cache: new BlockCache(0), info });
      try {
        return [...run.damage()];
      } finally {
        run.close();
      }
    });
    return {
      id: info.id,
      bytes: info.bytes,
      damage: "value" in found ? found.value : [found.damage],
    };
  });
}

function viewJournal(disk: Disk, superblock: Superblock, manifest: Manifest): JournalView {
  const { nonce, segmentSize } = superblock;
  const file = disk.open(JOURNAL, "read");
  try {
    const segments = Math.ceil(file.size() / segmentSize);
    const tail = readJournal({ file, nonce, segmentSize, segments }, manifest.journal);
    const views = new Map<number, SegmentView>();
    for (const { segment, firstSeq, count, padded } of tail.batches) {
      let view = views.get(segment);
      if (view === undefined) {
        view = { segment, batches: 0, first: firstSeq, last: firstSeq - 1, bytes: 0 };
        views.set(segment, view);
      }
      view.batches++;
      view.last = firstSeq + count - 1;
      view.bytes += padded;
    }
    return { bytes: file.size(), segments: [...views.values()], watermark: tail.watermark };
  } finally {
    file.close();
  }
}

function viewState({ state, lastSeq }: Recovered): StateView {
  const collections = [...state.collections.values()]
    .map(({ name, id, objects, blocks }) => ({ name, id, objects, bytes: blocks * BLOCK_SIZE }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    last: lastSeq,
    objects: collections.reduce((sum, c) => sum + c.objects, 0),
    bytes: state.allocator.used * BLOCK_SIZE,
    collections,
  };
}

function viewObject(o: Onode): ObjectView {
  let blocks = 0;
  for (const shard of o.shards.values()) blocks += shard.count;
  return {
    collection: o.collection.name,
    object: objectOfKey(o.key),
    id: o.id,
    size: o.size,
    bytes: blocks * BLOCK_SIZE,
  };
}

function viewExtents(o: Onode, ownersOf: (block: number) => number): ExtentView[] {
  const extents: { offset: number; block: number; owners: number; crcs: number[] }[] = [];
  for (const [base, shard] of o.sortedShards()) {
    for (let i = 0; i < SHARD_BLOCKS; i++) {
      const block = shard.map[i]! - 1;
      if (block < 0) continue;
      const offset = (base + i) * BLOCK_SIZE;
      const owners = ownersOf(block);
      const last = extents.at(-1);
      const follows =
        last !== undefined &&
        last.offset + last.crcs.length * BLOCK_SIZE === offset &&
        last.block + last.crcs.length === block &&
        last.owners === owners;
      if (follows) last.crcs.push(o.crc(base + i));
      else extents.push({ offset, block, owners, crcs: [o.crc(base + i)] });
    }
  }
  return extents.map((e) => ({ ...e, length: e.crcs.length * BLOCK_SIZE }));
}
