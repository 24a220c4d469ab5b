/**
 * The disk of real files.
 *
 * Each file has a buffered descriptor, and others as needed: with O_DIRECT for writes from aligned memory,
 * with O_DSYNC for durable ones. File systems that refuse O_DIRECT (tmpfs) get buffered writes instead.
 * Direct writes drop the range from the page cache, so buffered reads see them.
 *
 * The lock is a file with the holder's pid and start time, put in place by link(2): it either appears
 * whole or not at all. Its holder has it open and locked, which the kernel knows of a process in another
 * container, too, whose pid says nothing here. A lock whose process is gone (kill -9, power cut) is moved
 * aside and taken over.
 */

import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import {
  type Disk,
  type DiskFile,
  DiskLockedError,
  type DiskSpace,
  diskError,
  isAligned,
} from "./disk.ts";

const O_DIRECT = fs.constants.O_DIRECT ?? 0;
const O_DSYNC = fs.constants.O_DSYNC ?? fs.constants.O_SYNC;
const LOCK = "lock";

interface Native {
  readonly trim: (fd: number, offset: number, length: number) => Promise<void>;
  /** fcntl(2) F_OFD_SETLK: the lock is the open file's, and goes with it. False: another's is in the way. */
  readonly tryLock: (fd: number, options: { shared: boolean }) => boolean;
}

/**
 * Node has no fallocate(2) and no fcntl(2). Where this package has no binary for the platform, util-linux's command
 * gives space back, at the price of a process each time, and locks are told by their pids alone.
 */
const native: Native | undefined = (() => {
  try {
    return createRequire(import.meta.url)("fs-native-extensions") as Native;
  } catch {
    return undefined;
  }
})();

class RealFile implements DiskFile {
  readonly #path: string;
  readonly #writable: boolean;
  readonly #fd: number;
  /** Opened when first needed; -1: not yet. By the flags beyond O_RDWR. */
  readonly #others = new Map<number, number>();
  #directRefused = O_DIRECT === 0;
  #closed = false;

  constructor(file: string, mode: "read" | "write" | "create") {
    this.#path = file;
    this.#writable = mode !== "read";
    const flags = { read: "r", write: "r+", create: fs.constants.O_RDWR | fs.constants.O_CREAT };
    try {
      this.#fd = fs.openSync(file, flags[mode], 0o600);
    } catch (error) {
      throw diskError(error);
    }
  }

  size(): number {
    return fs.fstatSync(this.#fd).size;
  }

  allocated(): number {
    return fs.fstatSync(this.#fd).blocks * 512;
  }

  readSync(into: Uint8Array, offset: number): void {
    for (let done = 0; done < into.length; ) {
      const n = fs.readSync(this.#fd, into, done, into.length - done, offset + done);
      if (n === 0) {
        into.fill(0, done);
        return;
      }
      done += n;
    }
  }

  async read(into: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < into.length; ) {
      const n = await new Promise<number>((resolve, reject) => {
        fs.read(this.#fd, into, done, into.length - done, offset + done, (error, count) =>
          error ? reject(error) : resolve(count),
        );
      });
      if (n === 0) {
        into.fill(0, done);
        return;
      }
      done += n;
    }
  }

  writeSync(data: Uint8Array, offset: number): void {
    this.#writeAllSync(this.#writeFd(data, offset, 0), data, offset);
  }

  write(data: Uint8Array, offset: number): Promise<void> {
    return this.#writeAll(this.#writeFd(data, offset, 0), data, offset);
  }

  writeDurableSync(data: Uint8Array, offset: number): void {
    this.#writeAllSync(this.#writeFd(data, offset, O_DSYNC), data, offset);
  }

  writeDurable(data: Uint8Array, offset: number): Promise<void> {
    return this.#writeAll(this.#writeFd(data, offset, O_DSYNC), data, offset);
  }

  #writeAllSync(fd: number, data: Uint8Array, offset: number): void {
    try {
      for (let done = 0; done < data.length; ) {
        done += fs.writeSync(fd, data, done, data.length - done, offset + done);
      }
    } catch (error) {
      throw diskError(error);
    }
  }

  async #writeAll(fd: number, data: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < data.length; ) {
      done += await new Promise<number>((resolve, reject) => {
        fs.write(fd, data, done, data.length - done, offset + done, (error, count) =>
          error ? reject(diskError(error)) : resolve(count),
        );
      });
    }
  }

  /** The descriptor for a write: past the page cache where the memory allows it. */
  #writeFd(data: Uint8Array, offset: number, flags: number): number {
    if (!this.#writable) throw new Error(`${this.#path} is open for reading`);
    if (!this.#directRefused && isAligned(data, offset)) {
      try {
        return this.#open(O_DIRECT | flags);
      } catch (error) {
        // This file system has no direct I/O: buffered promises the same, slower.
        if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
        this.#directRefused = true;
      }
    }
    return flags === 0 ? this.#fd : this.#open(flags);
  }

  #open(flags: number): number {
    let fd = this.#others.get(flags);
    if (fd === undefined) {
      fd = fs.openSync(this.#path, fs.constants.O_RDWR | flags);
      this.#others.set(flags, fd);
    }
    return fd;
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#fd, size);
  }

  async punch(offset: number, length: number): Promise<boolean> {
    if (native === undefined) return this.#punchByCommand(offset, length);
    try {
      await native.trim(this.#fd, offset, length);
      return true;
    } catch {
      return false; // no holes here, or a disk that fails otherwise, too: nothing is lost by it
    }
  }

  #punchByCommand(offset: number, length: number): Promise<boolean> {
    const args = ["--punch-hole", "--offset", `${offset}`, "--length", `${length}`, this.#path];
    return new Promise((resolve) => {
      const child = spawn("fallocate", args, { stdio: "ignore" });
      child.on("error", () => resolve(false));
      child.on("exit", (code) => resolve(code === 0));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fd of [this.#fd, ...this.#others.values()]) fs.closeSync(fd);
  }
}

/** When a process began, in the kernel's ticks; undefined if there is none of that pid. */
function processStart(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name (second field) is in parentheses and may hold anything; start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie holds nothing any more; its parent may take its time.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined; // no such process
  }
}

/** Locks an open file; false: it is another's. True also where this cannot be known. */
function tryLock(fd: number, options: { shared: boolean }): boolean {
  try {
    return native?.tryLock(fd, options) ?? true;
  } catch {
    return true; // a file system without locks
  }
}

export class FileDisk implements Disk {
  readonly directory: string;

  /** @param directory an existing directory */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** The same for a directory that is made if absent, for its owner alone. */
  static make(directory: string): FileDisk {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new FileDisk(directory);
  }

  open(name: string, mode: "read" | "write" | "create"): DiskFile {
    return new RealFile(path.join(this.directory, name), mode);
  }

  exists(name: string): boolean {
    return fs.existsSync(path.join(this.directory, name));
  }

  list(): string[] {
    return fs.readdirSync(this.directory).sort();
  }

  /** Giving back the blocks of a large file takes milliseconds. */
  remove(name: string): Promise<void> {
    return fs.promises.unlink(path.join(this.directory, name));
  }

  removeSync(name: string): void {
    fs.unlinkSync(path.join(this.directory, name));
  }

  rename(from: string, to: string): void {
    fs.renameSync(path.join(this.directory, from), path.join(this.directory, to));
  }

  async syncDirectory(): Promise<void> {
    const handle = await fs.promises.open(this.directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  syncDirectorySync(): void {
    const fd = fs.openSync(this.directory, "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  lock(): () => void {
    const file = path.join(this.directory, LOCK);
    const start = processStart(process.pid) ?? "";
    // Processes of two containers may have the same pid.
    const own = path.join(this.directory, `${LOCK}.${process.pid}.${start}`);
    const mine = `${process.pid} ${start}\n`;
    fs.writeFileSync(own, mine, { mode: 0o600 });
    const fd = fs.openSync(own, "r+");
    let isTaken = false;
    try {
      // Before it has its name: nobody finds it unlocked.
      tryLock(fd, { shared: false });
      // One retry per stale lock moved aside; two processes can race, not ten.
      for (let attempt = 0; attempt < 10; attempt++) {
        try {
          fs.linkSync(own, file);
          isTaken = true;
          return () => {
            if (!isTaken) return;
            isTaken = false;
            this.#unlock(file, mine);
            fs.closeSync(fd);
          };
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        this.#moveStaleAside(file);
      }
      throw new DiskLockedError(this.directory, "unknown");
    } finally {
      if (!isTaken) fs.closeSync(fd);
      fs.rmSync(own, { force: true });
    }
  }

  #unlock(file: string, mine: string): void {
    if (this.#readLock(file) === mine) fs.rmSync(file, { force: true });
  }

  #readLock(file: string): string | undefined {
    try {
      return fs.readFileSync(file, "latin1");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** @throws DiskLockedError if the holder lives */
  #moveStaleAside(file: string): void {
    const found = this.#readLock(file);
    if (found === undefined) return;
    const [pid = "", start = ""] = found.trim().split(" ");
    if (this.#isHeld(file) || (processStart(Number(pid)) === start && start !== "")) {
      throw new DiskLockedError(this.directory, pid);
    }
    const aside = `${file}.stale.${process.pid}`;
    try {
      fs.renameSync(file, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // another opener was first
      throw error;
    }
    // Between the look and the move somebody else may have taken over: give theirs back.
    if (this.#readLock(aside) !== found) fs.linkSync(aside, file);
    fs.rmSync(aside, { force: true });
  }

  /** Does a process of this machine have it, in whatever container? */
  #isHeld(file: string): boolean {
    let fd: number;
    try {
      fd = fs.openSync(file, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
    try {
      // Two that look at the same time are not in each other's way.
      return !tryLock(fd, { shared: true });
    } finally {
      fs.closeSync(fd);
    }
  }

  space(): DiskSpace {
    const s = fs.statfsSync(this.directory);
    return { total: s.blocks * s.bsize, available: s.bavail * s.bsize };
  }
}
