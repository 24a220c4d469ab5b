/** The data of an open image, whatever stands between it and who uses it. */

import type { CallOptions } from "../../rados/index.ts";
import type { SnapId } from "../../types/index.ts";
import type { Run } from "../snapshot-read.ts";

export interface ImageData {
  /**
   * What is in a range; holes are zeros. Shorter than asked for where the image ends.
   * @param snap of which snapshot @default the head
   * @param limits of each request
   * @throws CephError EINVAL: starts past the end; ENOENT: no such snapshot, or it, the data pool or a parent is gone
   */
  read(offset: number, length: number, snap?: SnapId, limits?: CallOptions): Promise<Buffer>;
  /**
   * The same into memory that is there: as much as it holds. Once the limits' signal is aborted nothing is written to it.
   * @returns bytes read, which is all or up to the end
   */
  readInto(offset: number, into: Buffer, snap?: SnapId, limits?: CallOptions): Promise<number>;
  /** The same without holes: what there is, in order. */
  readSparse(offset: number, length: number, snap?: SnapId, limits?: CallOptions): Promise<Run[]>;
  /**
   * Writes, as far as the image goes.
   * @param signal once aborted, what was not begun is not: objects that it has reached are written
   * @returns bytes written
   * @throws CephError EINVAL: starts past the end; EROFS: read-only, or the lock's owner keeps it; ESHUTDOWN:
   *   blocklisted; EOPNOTSUPP: with a journal
   */
  write(offset: number, data: Uint8Array, signal?: AbortSignal): Promise<number>;
  /**
   * Lets go of a range: what is asked for again may be zeros, or what it was where the range's ends do not
   * fill a discard granularity.
   * @returns bytes of the range within the image @throws as `write`
   */
  discard(offset: number, length: number, signal?: AbortSignal): Promise<number>;
  /**
   * Makes a range zero.
   * @param options.thick keeps the space @returns bytes of the range within the image @throws as `write`
   */
  writeZeroes(
    offset: number,
    length: number,
    options?: { readonly thick?: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<number>;
  /**
   * Writes if what is there is as expected, in one step.
   * @returns bytes written
   * @throws CompareMismatch EILSEQ; CephError EINVAL: of two lengths, or in more than one object; or as `write`
   */
  compareAndWrite(
    offset: number,
    expected: Uint8Array,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<number>;
  /**
   * Resolves when every change that was begun before is done, and stable.
   * @param signal once aborted, nobody waits for it any more
   * @throws why one that was acknowledged is not stable: it is tried again, or lost, which is told once, to who waits
   */
  flush(signal?: AbortSignal): Promise<void>;
  /** Flushes, and lets go of everything; what can not be written is lost. @throws as `flush`. Idempotent. */
  close(): Promise<void>;
}

/** A range that has been read, with zeros for the holes, in memory of its own. */
export function assembled(runs: readonly Run[], offset: number, length: number): Buffer {
  const data = Buffer.alloc(length);
  for (const run of runs) data.set(run.data, run.offset - offset);
  return data;
}
