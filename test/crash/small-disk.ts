/** A store on a file system that is small and that others fill, too. */
import { createStore, type DiskStore, MemoryDisk, openStore } from "../../src/store/index.ts";
import { PG, submit } from "../compliance/object-store/fixtures.ts";
import { ManualClock, settle } from "./crash.ts";

export const MIB = 1 << 20;
export const FILE_SYSTEM = 40 * MIB;
export const SEGMENT = 256 << 10;
/** Of the file system, as `file-system-room.ts` has it. */
export const RESERVE = FILE_SYSTEM / 16;

export interface Scene {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  readonly store: DiskStore;
  readonly failures: Error[];
}

interface Options {
  segments?: number;
  memoryBytes?: number;
  latencyMax?: number;
  /** Does the file system take space back? @default true */
  punchable?: boolean;
  indexShare?: number;
  segmentSize?: number;
}

export async function setUp(seed: number, options: Options = {}): Promise<Scene> {
  const disk = new MemoryDisk(seed);
  disk.limitBytes = FILE_SYSTEM;
  const clock = new ManualClock();
  const { segmentSize = SEGMENT, segments = 2 } = options;
  createStore("", { disk, segmentSize, segments });
  if (options.punchable === false) {
    const open = disk.open.bind(disk);
    disk.open = (name, mode) => ({ ...open(name, mode), punch: async () => false });
  }
  const memoryBytes = options.memoryBytes ?? 4 * MIB;
  const { indexShare } = options;
  const how = { disk, clock, memoryBytes, ...(indexShare === undefined ? {} : { indexShare }) };
  const store = await settle(clock, openStore("", how));
  const failures: Error[] = [];
  store.onFatal = (error) => failures.push(error);
  submit(store, { op: "create-collection", collection: PG });
  await settle(clock, store.flush());
  disk.latencyMax = options.latencyMax ?? 8;
  return { disk, clock, store, failures };
}

/** Others take some of the file system, which takes them some time. */
export function takes({ disk, clock }: Scene, size: number): void {
  disk.othersBytes += size;
  clock.turn(1 + Math.ceil(size / MIB));
}
