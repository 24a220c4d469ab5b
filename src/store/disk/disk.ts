/**
 * The only door of the store to files: one directory of named files.
 *
 * Two classes of write. A plain one is on its way when the call is done, and stable after `sync`. A
 * durable one is stable when the call is done (sync or promise). Both pass by the page cache if the memory
 * came from `alignedBuffer` (base), in multiples of SECTOR_SIZE at such offsets. Names become stable with
 * `syncDirectory`. Any error of a write or a sync is final for its caller, who never retries; but for
 * DiskFullError of a plain write, which has made nothing stable and may be made anew.
 */

import { isAlignedMemory } from "../../base/index.ts";

/** Alignment of direct writes, and the unit in which the store lays things out. */
export const SECTOR_SIZE = 4096;

export interface DiskFile {
  /** Bytes. */
  size(): number;
  /** Bytes of the file system that the file takes: less than its size where it is sparse. */
  allocated(): number;
  /** Fills `into` from `offset`; what lies past the end of the file reads as zeros. */
  readSync(into: Uint8Array, offset: number): void;
  read(into: Uint8Array, offset: number): Promise<void>;
  /**
   * Plain write: the file grows as needed.
   * @throws DiskFullError
   */
  writeSync(data: Uint8Array, offset: number): void;
  write(data: Uint8Array, offset: number): Promise<void>;
  /** Durable write; see above. `data` is not touched before the promise has settled. */
  writeDurableSync(data: Uint8Array, offset: number): void;
  writeDurable(data: Uint8Array, offset: number): Promise<void>;
  /** Plain writes so far, and the size, are stable afterwards. */
  sync(): Promise<void>;
  syncSync(): void;
  truncate(size: number): void;
  /** Gives the range back to the file system; it reads as zeros. False where that cannot be done. */
  punch(offset: number, length: number): Promise<boolean>;
  close(): void;
}

/** Space of the file system that holds the directory, in bytes. */
export interface DiskSpace {
  readonly total: number;
  readonly available: number;
}

export interface Disk {
  /**
   * @param mode `read`: writes are refused; `create`: made if absent
   * @throws DiskFullError if there is no room for its name
   */
  open(name: string, mode: "read" | "write" | "create"): DiskFile;
  exists(name: string): boolean;
  list(): string[];
  remove(name: string): Promise<void>;
  removeSync(name: string): void;
  rename(from: string, to: string): void;
  syncDirectory(): Promise<void>;
  syncDirectorySync(): void;
  /**
   * Takes the directory for this process.
   * @returns the release
   * @throws DiskLockedError if a living process holds it
   */
  lock(): () => void;
  space(): DiskSpace;
}

/** The file system has no room for what was to be written, be it by somebody's quota. */
export class DiskFullError extends Error {
  /** For whoever starts a server and is to be told to make room. */
  readonly code = "ENOSPC";

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "DiskFullError";
  }
}

/** An error of the system's, as the caller of a disk is to see it. */
export function diskError(error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new DiskFullError(error as Error)
    : (error as Error);
}

export class DiskLockedError extends Error {
  constructor(directory: string, holder: string) {
    super(`${directory} is in use by process ${holder}`);
    this.name = "DiskLockedError";
  }
}

/** May these bytes go to this offset by direct I/O? */
export function isAligned(data: Uint8Array, offset: number): boolean {
  return (
    isAlignedMemory(data.buffer) &&
    (data.byteOffset | data.length | (offset % SECTOR_SIZE)) % SECTOR_SIZE === 0
  );
}
