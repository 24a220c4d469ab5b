/**
 * The simulated disk: files in memory that a power cut treats as badly as a real one may.
 *
 * Fault model. A sector of 512 bytes that was written and not yet made stable is, after a cut, new, old,
 * or (rarely) half of each, each by the seed and independently of its neighbours; so syncs reorder and
 * long writes tear. What a durable write or a sync has returned for is stable. Names behave likewise:
 * creations, removals and renames since the last `syncDirectory` may be undone (all of them or none).
 * The cut strikes at the n-th disk call, which is left half done, and every call after it fails.
 * A chosen call can fail with EIO or ENOSPC instead, and bits can be flipped. The file system has room
 * without end, or a limit that others take their part of.
 */

import { type Random, seededRandom } from "../../base/index.ts";
import {
  type Disk,
  type DiskFile,
  DiskFullError,
  DiskLockedError,
  type DiskSpace,
  diskError,
} from "./disk.ts";

const PAGE = 4096;
const SECTOR = 512;

/** The machine is off: every disk call fails until `powerCycle`. */
export class PowerCutError extends Error {
  constructor() {
    super("the power is cut");
    this.name = "PowerCutError";
  }
}

interface Page {
  now: Uint8Array;
  /** Content after a cut that loses everything; undefined: the same as `now`. */
  stable: Uint8Array | undefined;
  /** The write that dirtied it last. */
  writer: number;
}

class Contents {
  pages = new Map<number, Page>();
  /** Pages that were punched out and not written since. */
  readonly holes = new Set<number>();
  /** Pages that cannot be read. */
  readonly bad = new Set<number>();
  length = 0;
  stableLength = 0;

  write(data: Uint8Array, offset: number, writer: number): void {
    for (let done = 0; done < data.length; ) {
      const at = offset + done;
      const from = at % PAGE;
      const count = Math.min(PAGE - from, data.length - done);
      const index = (at - from) / PAGE;
      const old = this.pages.get(index);
      const now = old ? Uint8Array.from(old.now) : new Uint8Array(PAGE);
      now.set(data.subarray(done, done + count), from);
      const stable = old === undefined ? new Uint8Array(PAGE) : (old.stable ?? old.now);
      this.pages.set(index, { now, stable, writer });
      this.holes.delete(index);
      this.bad.delete(index);
      done += count;
    }
    this.length = Math.max(this.length, offset + data.length);
  }

  get allocated(): number {
    return (this.pages.size - this.holes.size) * PAGE;
  }

  /** Bytes more that the file will have after a write. */
  growth(length: number, offset: number): number {
    let pages = 0;
    for (let i = Math.floor(offset / PAGE); i * PAGE < offset + length; i++) {
      if (!this.pages.has(i) || this.holes.has(i)) pages++;
    }
    return pages * PAGE;
  }

  punch(offset: number, length: number, writer: number): void {
    this.write(new Uint8Array(length), offset, writer);
    const end = Math.floor((offset + length) / PAGE);
    for (let i = Math.ceil(offset / PAGE); i < end; i++) this.holes.add(i);
  }

  /** What `writer` wrote into this range is stable, whatever came on top since. */
  settle(offset: number, length: number, writer: number, data: Uint8Array): void {
    const first = Math.floor(offset / PAGE);
    const last = Math.floor((offset + length - 1) / PAGE);
    for (let index = first; index <= last; index++) {
      const page = this.pages.get(index);
      if (page === undefined || page.stable === undefined) continue;
      if (page.writer === writer) {
        page.stable = undefined;
        continue;
      }
      const stable = Uint8Array.from(page.stable);
      const from = Math.max(0, offset - index * PAGE);
      const to = Math.min(PAGE, offset + length - index * PAGE);
      const source = index * PAGE + from - offset;
      stable.set(data.subarray(source, source + to - from), from);
      page.stable = stable;
    }
    this.stableLength = Math.max(this.stableLength, offset + length);
  }

  settleAll(): void {
    for (const page of this.pages.values()) page.stable = undefined;
    this.stableLength = this.length;
  }

  read(into: Uint8Array, offset: number): void {
    for (let done = 0; done < into.length; ) {
      const from = (offset + done) % PAGE;
      const count = Math.min(PAGE - from, into.length - done);
      if (this.bad.size > 0 && this.bad.has(Math.floor((offset + done) / PAGE))) {
        throw Object.assign(new Error("EIO: bad sector"), { code: "EIO" });
      }
      const page = this.pages.get(Math.floor((offset + done) / PAGE));
      if (page === undefined) into.fill(0, done, done + count);
      else into.set(page.now.subarray(from, from + count), done);
      done += count;
    }
  }

  cut(random: { below(n: number): number }): void {
    for (const [index, page] of this.pages) {
      if (page.stable === undefined) continue;
      this.holes.delete(index);
      const kept = Uint8Array.from(page.stable);
      const mood = random.below(4); // 0: all lost, 1: all kept, else by sector
      for (let at = 0; at < PAGE; at += SECTOR) {
        const fate = mood === 0 ? 0 : mood === 1 ? 1 : random.below(9);
        if (fate === 8) kept.set(page.now.subarray(at, at + SECTOR / 2), at);
        else if (fate % 2 === 1) kept.set(page.now.subarray(at, at + SECTOR), at);
      }
      page.now = kept;
      page.stable = undefined;
    }
    this.length = random.below(2) === 0 ? this.length : Math.max(this.stableLength, 0);
    this.stableLength = this.length;
  }
}

type Fault = "EIO" | "ENOSPC";

export class MemoryDisk implements Disk {
  /** Disk calls made so far. */
  calls = 0;
  /** The call at which the power goes. */
  cutAt = Number.POSITIVE_INFINITY;
  /** Size of the file system; a write that needs more fails with ENOSPC. */
  limitBytes = 2 ** 40;
  /** What others have taken of it. */
  othersBytes = 0;
  /** Microtask turns that an asynchronous call takes at most. */
  latencyMax = 8;
  /** How long an asynchronous call takes, where turns of the microtask queue are no measure. */
  delay: (() => Promise<void>) | undefined;
  /** Told when the power goes during a call, before that call fails. */
  onCut: () => void = () => {};
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #faults = new Map<number, Fault>();
  #names = new Map<string, Contents>();
  #stableNames = new Map<string, Contents>();
  #off = false;
  #lies = false;
  #locked = false;
  #writer = 0;
  /** Rises at each power cycle: handles from before are dead. */
  #boot = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From now on writes that claim to be stable are not, as on a disk with a lying cache. */
  lie(): void {
    this.#lies = true;
  }

  get random(): Random & { below(n: number): number } {
    return this.#random;
  }

  /** The write or sync call with this number fails (others pass it by). */
  failAt(call: number, fault: Fault): void {
    this.#faults.set(call, fault);
  }

  /** Failures that have not happened yet will not. */
  mend(): void {
    this.#faults.clear();
  }

  /** From now on the sector at `offset` cannot be read; written to, it can be again. */
  spoil(name: string, offset: number): void {
    this.#names.get(name)!.bad.add(Math.floor(offset / PAGE));
  }

  /** Flips one bit of a file. */
  flip(name: string, offset: number, bit: number): void {
    const byte = new Uint8Array(1);
    const contents = this.#names.get(name)!;
    contents.read(byte, offset);
    byte[0]! ^= 1 << bit;
    contents.write(byte, offset, ++this.#writer);
    contents.settleAll();
  }

  /** Cuts the power now, if it is still on, and comes back with what survived. */
  powerCycle(): void {
    if (this.#random.below(2) === 0) this.#names = new Map(this.#stableNames);
    for (const contents of new Set(this.#names.values())) contents.cut(this.#random);
    this.#stableNames = new Map(this.#names);
    this.#faults.clear();
    this.cutAt = Number.POSITIVE_INFINITY;
    this.#off = false;
    this.#locked = false;
    this.#boot++;
  }

  /** A process that was killed: the disk keeps all it was given, open handles die. */
  processKill(): void {
    for (const contents of this.#names.values()) contents.settleAll();
    this.#locked = false;
    this.#boot++;
  }

  get #usedBytes(): number {
    let sum = this.othersBytes;
    for (const contents of new Set(this.#names.values())) sum += contents.allocated;
    return sum;
  }

  #takeRoom(contents: Contents, length: number, offset: number): void {
    const growth = contents.growth(length, offset);
    if (growth === 0 || this.#usedBytes + growth <= this.limitBytes) return;
    throw new DiskFullError(new Error("ENOSPC: no space left"));
  }

  /** Counts a call. True: the power goes during it. */
  #tick(boot: number, changes: boolean): boolean {
    if (this.#off || boot !== this.#boot) throw new PowerCutError();
    this.calls++;
    const fault = this.#faults.get(this.calls);
    if (fault !== undefined && changes) {
      throw Object.assign(new Error(`${fault}: injected`), { code: fault });
    }
    if (this.calls < this.cutAt) return false;
    this.#off = true;
    this.onCut();
    return true;
  }

  /** The same of a write, which says so if there is no room. */
  #tickOfWrite(boot: number): boolean {
    try {
      return this.#tick(boot, true);
    } catch (error) {
      throw diskError(error);
    }
  }

  async #wait(boot: number): Promise<void> {
    if (this.delay !== undefined) await this.delay();
    else for (let n = this.#random.below(this.latencyMax + 1); n > 0; n--) await Promise.resolve();
    if (this.#off || boot !== this.#boot) throw new PowerCutError();
  }

  open(name: string, mode: "read" | "write" | "create"): DiskFile {
    if (this.#tick(this.#boot, false)) throw new PowerCutError();
    let contents = this.#names.get(name);
    if (contents === undefined) {
      if (mode !== "create") {
        throw Object.assign(new Error(`ENOENT: ${name}`), { code: "ENOENT" });
      }
      contents = new Contents();
      this.#names.set(name, contents);
    }
    return this.#handle(contents);
  }

  #handle(contents: Contents): DiskFile {
    const boot = this.#boot;
    /** Starts a write; throws if the power goes, with the write in the air. */
    const begin = (data: Uint8Array, offset: number): number => {
      const cut = this.#tickOfWrite(boot);
      this.#takeRoom(contents, data.length, offset);
      const writer = ++this.#writer;
      contents.write(data, offset, writer);
      if (cut) throw new PowerCutError();
      return writer;
    };
    return {
      size: () => contents.length,
      allocated: () => contents.allocated,
      readSync: (into, offset) => {
        if (this.#tick(boot, false)) throw new PowerCutError();
        contents.read(into, offset);
      },
      read: async (into, offset) => {
        if (this.#tick(boot, false)) throw new PowerCutError();
        // The content may be fetched at either end of the wait: the caller must not care.
        const early = this.#random.below(2) === 0;
        if (early) contents.read(into, offset);
        await this.#wait(boot);
        if (!early) contents.read(into, offset);
      },
      writeSync: (data, offset) => {
        begin(data, offset);
      },
      write: async (data, offset) => {
        begin(data, offset);
        await this.#wait(boot);
      },
      writeDurableSync: (data, offset) => {
        const writer = begin(data, offset);
        if (!this.#lies) contents.settle(offset, data.length, writer, data);
      },
      writeDurable: async (data, offset) => {
        const copy = Uint8Array.from(data);
        const writer = begin(copy, offset);
        await this.#wait(boot);
        contents.settle(offset, copy.length, writer, copy);
      },
      sync: async () => {
        if (this.#tick(boot, true)) throw new PowerCutError();
        await this.#wait(boot);
        contents.settleAll();
      },
      syncSync: () => {
        if (this.#tick(boot, true)) throw new PowerCutError();
        contents.settleAll();
      },
      truncate: (size) => {
        if (this.#tick(boot, true)) throw new PowerCutError();
        for (const index of contents.pages.keys()) {
          if (index * PAGE >= size) contents.pages.delete(index);
        }
        contents.length = size;
      },
      punch: async (offset, length) => {
        const cut = this.#tick(boot, false);
        contents.punch(offset, length, ++this.#writer);
        if (cut) throw new PowerCutError();
        await this.#wait(boot);
        return true;
      },
      close: () => {},
    };
  }

  exists(name: string): boolean {
    return this.#names.has(name);
  }

  list(): string[] {
    return [...this.#names.keys()].sort();
  }

  async remove(name: string): Promise<void> {
    const boot = this.#boot;
    this.removeSync(name);
    await this.#wait(boot);
  }

  removeSync(name: string): void {
    if (this.#tick(this.#boot, false)) throw new PowerCutError();
    this.#names.delete(name);
  }

  rename(from: string, to: string): void {
    if (this.#tick(this.#boot, false)) throw new PowerCutError();
    this.#names.set(to, this.#names.get(from)!);
    this.#names.delete(from);
  }

  async syncDirectory(): Promise<void> {
    const boot = this.#boot;
    if (this.#tick(boot, true)) throw new PowerCutError();
    const names = new Map(this.#names);
    await this.#wait(boot);
    // What has come or gone since the call may be stable or not: not.
    for (const name of this.#stableNames.keys()) {
      if (!names.has(name) && !this.#names.has(name)) this.#stableNames.delete(name);
    }
    for (const [name, contents] of names) {
      if (this.#names.get(name) === contents) this.#stableNames.set(name, contents);
    }
  }

  syncDirectorySync(): void {
    if (this.#tick(this.#boot, true)) throw new PowerCutError();
    this.#stableNames = new Map(this.#names);
  }

  lock(): () => void {
    if (this.#locked) throw new DiskLockedError("the simulated disk", "this one");
    this.#locked = true;
    const boot = this.#boot;
    return () => {
      if (boot === this.#boot) this.#locked = false;
    };
  }

  space(): DiskSpace {
    const available = Math.max(0, this.limitBytes - this.#usedBytes);
    return { total: this.limitBytes, available };
  }
}
