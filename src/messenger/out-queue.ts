/**
 * Frames queued on one link until they go out in one system call.
 *
 * Small pieces are copied one after the other into a slab, large ones are passed on as views, so that a
 * turn's worth of replies is a handful of chunks. A slab is written to again only after `recycle`, which
 * the owner calls when the network has taken everything.
 */

/** Pieces up to this long are cheaper to copy than to hand to the kernel one by one. */
const COPY_BYTES_MAX = 4096;
const SLAB_BYTES_MIN = 4 * 1024;
const SLAB_BYTES_MAX = 64 * 1024;

export class OutQueue {
  /** Where `reserve` made room. */
  slab: Buffer;
  /** Bytes queued. */
  bytes = 0;
  #chunks: Uint8Array[] = [];
  /** To be told when the network has what is queued. */
  #owners: (() => void)[] = [];
  /** Start of the slab's bytes not yet among the chunks, and their end. */
  #from = 0;
  #to = 0;

  constructor() {
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES_MIN);
  }

  /** Makes room for `count` bytes in `slab` and returns where; the caller fills them before its next call. */
  reserve(count: number): number {
    if (this.slab.length - this.#to < count) {
      this.#closeRun();
      const size = Math.max(count, Math.min(this.slab.length * 2, SLAB_BYTES_MAX));
      this.slab = Buffer.allocUnsafeSlow(size);
      this.#from = 0;
      this.#to = 0;
    }
    const at = this.#to;
    this.#to += count;
    this.bytes += count;
    return at;
  }

  /** Queues bytes; they may not change until the network has taken them. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (piece.length <= COPY_BYTES_MAX) {
      const at = this.reserve(piece.length);
      this.slab.set(piece, at);
      return;
    }
    this.#closeRun();
    this.#chunks.push(piece);
    this.bytes += piece.length;
  }

  /** Somebody wants to know when the bytes queued so far are theirs again. */
  addOwner(taken: () => void): void {
    this.#owners.push(taken);
  }

  /** Who is to be told when all that is queued has been taken, as one call; undefined: nobody. */
  takeOwners(): (() => void) | undefined {
    const owners = this.#owners;
    if (owners.length === 0) return undefined;
    this.#owners = [];
    return () => {
      for (const taken of owners) taken();
    };
  }

  /** Everything queued, in order; the queue is empty afterwards. */
  take(): Uint8Array[] {
    this.#closeRun();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.bytes = 0;
    return chunks;
  }

  /** The network has taken all that was handed out: the slab may be written from its start again. */
  recycle(): void {
    if (this.bytes > 0) return;
    this.#from = 0;
    this.#to = 0;
  }

  #closeRun(): void {
    if (this.#to === this.#from) return;
    this.#chunks.push(this.slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
