/**
 * Changes what a closed store says without leaving a trace in its checksums: what a bug of the store would
 * leave behind, for the check to find.
 */
import { Writer } from "../../src/encoding/index.ts";
import { RunKv } from "../../src/store/disk-store/kv.ts";
import { writeRun } from "../../src/store/disk-store/run.ts";
import {
  readManifest,
  readSuperblock,
  writeManifest,
} from "../../src/store/disk-store/superblock.ts";
import { SlabPool, Table } from "../../src/store/disk-store/table.ts";
import type { MemoryDisk } from "../../src/store/index.ts";

export type Entries = Map<string, Uint8Array>;

/** Lets `edit` change the index of a store that was closed. */
export async function tamper(disk: MemoryDisk, edit: (entries: Entries) => void): Promise<void> {
  const { nonce } = readSuperblock(disk);
  const manifest = readManifest(disk, nonce);
  const { runs, nextRun } = manifest;
  const kv = new RunKv({ disk, nonce, runs, nextRun, cacheBytes: 1 << 20 });
  const entries: Entries = new Map();
  for (const [key, value] of kv.entries("", "\uffff")) entries.set(key, Uint8Array.from(value));
  kv.close();
  edit(entries);
  const table = new Table(new SlabPool());
  for (const [key, value] of entries) table.put(key, value);
  const run = await writeRun({
    disk,
    nonce,
    id: nextRun,
    entries: table.cursor(),
    expected: table.size,
  });
  const { generation } = manifest;
  const next = { ...manifest, generation: generation + 1, nextRun: nextRun + 1, runs: [run] };
  writeManifest(disk, nonce, next);
}

/** The only key that begins with `prefix`. */
export function onlyKey(entries: Entries, prefix: string): string {
  const keys = [...entries.keys()].filter((key) => key.startsWith(prefix));
  if (keys.length !== 1) throw new Error(`${keys.length} keys begin with ${prefix}`);
  return keys[0]!;
}

/** Bytes as a writer makes them. */
export function made(fill: (w: Writer) => void): Uint8Array {
  const w = new Writer();
  fill(w);
  return Uint8Array.from(w.finish());
}
