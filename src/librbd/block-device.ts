/** A disk: what image formats and network block devices stand on, and what an open image is. */

export interface BlockDevice {
  /** Bytes. */
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Fewer bytes than asked for where the device ends; holes read as zeros. */
  read(offset: number, length: number): Promise<Buffer>;
  /** All of it, or a rejection: EINVAL where it would reach past the end, EROFS where it may not be written to. */
  write(offset: number, data: Uint8Array): Promise<void>;
  /** The range is not needed any more: it reads as zeros or as before. */
  discard(offset: number, length: number): Promise<void>;
  /** Makes a range read as zeros. @param options.keepSpace does not give it back */
  writeZeroes(
    offset: number,
    length: number,
    options?: { readonly keepSpace?: boolean },
  ): Promise<void>;
  /** Resolves when all that was written before is on stable storage. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
