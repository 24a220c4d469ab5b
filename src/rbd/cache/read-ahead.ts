/**
 * Finds out that an image is being read from front to back, and what is to be read before it is asked for.
 *
 * After so many requests that each begin where the last has ended, as much is read ahead as they were together;
 * once half of that has been asked for, twice as much, up to a bound. Its end is moved to that of an object set, a
 * stripe or a stripe unit, if that is near.
 * ceph: src/common/Readahead.cc, src/librbd/io/ImageRequest.cc readahead
 */

export interface ReadAheadOptions {
  /** Requests in a row that start it.  ceph: rbd_readahead_trigger_requests. @default 10 */
  readonly triggerRequests?: number;
  /** Bytes of one read ahead; 0: never.  ceph: rbd_readahead_max_bytes. @default 512 KiB */
  readonly maxBytes?: number;
  /**
   * After so many bytes of reads it is left to whoever reads, who knows better by then: it helps a guest to
   * boot. 0: it is not.  ceph: rbd_readahead_disable_after_bytes. @default 50 MiB
   */
  readonly disableAfterBytes?: number;
}

export const READ_AHEAD_DEFAULT = {
  triggerRequests: 10,
  maxBytes: 512 << 10,
  disableAfterBytes: 50 << 20,
} satisfies Required<ReadAheadOptions>;

export class ReadAhead {
  readonly #options: Required<ReadAheadOptions>;
  /** Bytes, largest first, to whose multiples ends are moved. */
  readonly #alignments: readonly number[];
  #bytesRead = 0;
  /** Where the last request has ended. */
  #last = 0;
  #requests = 0;
  #requestBytes = 0;
  /** Bytes of the last read ahead, before its end was moved; 0: there was none. */
  #size = 0;
  /** Up to where has been read ahead. */
  #ahead = 0;
  /** From where on more is read ahead. */
  #trigger = 0;

  constructor(options: Required<ReadAheadOptions>, alignments: readonly number[]) {
    this.#options = options;
    this.#alignments = alignments;
  }

  /**
   * Somebody reads; says what is to be read ahead, if anything.
   * @param limit where the image ends
   */
  next(
    offset: number,
    length: number,
    limit: number,
  ): { readonly offset: number; readonly length: number } | undefined {
    const { triggerRequests, maxBytes, disableAfterBytes } = this.#options;
    const isOver = disableAfterBytes > 0 && this.#bytesRead > disableAfterBytes;
    this.#bytesRead += length;
    if (isOver || maxBytes === 0) return undefined;
    this.#observe(offset, length);
    if (this.#ahead >= limit || this.#last >= limit) return undefined;
    if (this.#requests < triggerRequests || this.#last < this.#trigger) return undefined;
    this.#ahead = Math.max(this.#ahead, this.#last);
    this.#size = Math.min(this.#size === 0 ? this.#requestBytes : this.#size * 2, maxBytes);
    const start = this.#ahead;
    const size = Math.min(this.#aligned(start, this.#size), limit - start);
    this.#trigger = start + Math.floor(size / 2);
    this.#ahead = start + size;
    return { offset: start, length: size };
  }

  #observe(offset: number, length: number): void {
    if (offset === this.#last) {
      this.#requests++;
      this.#requestBytes += length;
    } else {
      this.#requests = 0;
      this.#requestBytes = 0;
      this.#trigger = 0;
      this.#size = 0;
      this.#ahead = 0;
    }
    this.#last = offset + length;
  }

  /** Bytes from an offset to the next end that is less than half of them away. */
  #aligned(offset: number, length: number): number {
    const end = offset + length;
    for (const alignment of this.#alignments) {
      const before = end - (end % alignment);
      const after = before + alignment;
      const isBeforeNearer = end - before < after - end;
      if (isBeforeNearer && end - before < length / 2) return before - offset;
      if (after - end < length / 2) return after - offset;
    }
    return length;
  }
}
