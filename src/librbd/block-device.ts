/** A disk: what image formats and network block devices stand on, and what an open image is. */

import type { CallOptions } from "../librados/index.ts";

/** A change that ends by its limits may have been made, in part too, or be made until the next `flush` has resolved. */
export interface BlockDevice {
  /** Bytes. */
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Fewer bytes than asked for where the device ends; holes read as zeros. */
  read(offset: number, length: number, options?: CallOptions): Promise<Buffer>;
  /**
   * The same into memory that is there, as much as it holds: for who reads much, and would rather not have new memory
   * for all of it. It is the call's until it has ended. @returns bytes read
   */
  readInto(offset: number, into: Uint8Array, options?: CallOptions): Promise<number>;
  /** All of it, or a rejection: EINVAL where it would reach past the end, EROFS where it may not be written to. */
  write(offset: number, data: Uint8Array, options?: CallOptions): Promise<void>;
  /** The range is not needed any more: it reads as zeros or as before. */
  discard(offset: number, length: number, options?: CallOptions): Promise<void>;
  /** Makes a range read as zeros. @param options.keepSpace does not give it back */
  writeZeroes(
    offset: number,
    length: number,
    options?: { readonly keepSpace?: boolean } & CallOptions,
  ): Promise<void>;
  /** Resolves when all that was written before is on stable storage. */
  flush(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
