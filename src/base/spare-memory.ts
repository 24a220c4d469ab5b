/**
 * Large memory that is used again by who says that it is done with it.
 *
 * Fresh memory costs a page fault for each 4 KiB, on a virtual machine several times what is then done with the
 * bytes. Unlike a `BufferPool` this has no bound and nobody waits: what is not given back is the collector's, and
 * is made anew.
 */

/** Blocks come in multiples of this. */
const BLOCK_UNIT = 64 * 1024;
/** Blocks, and bytes of them, that are kept for the next ones. */
const KEPT_BLOCKS_MAX = 16;
const KEPT_BYTES_MAX = 64 << 20;

export class SpareMemory {
  /** The last given back is at the end: it is in the processor's caches. */
  #spare: ArrayBuffer[] = [];
  #bytes = 0;
  /** What has been handed out and not come back. */
  readonly #out = new WeakSet<ArrayBufferLike>();

  /** Memory of exactly `length` bytes, content undefined. */
  take(length: number): Buffer {
    const buffer = this.#find(length) ?? fresh(length);
    this.#out.add(buffer);
    return Buffer.from(buffer, 0, length);
  }

  /** A block that it fits in without wasting half. */
  #find(length: number): ArrayBuffer | undefined {
    const fits = ({ byteLength }: ArrayBuffer) => byteLength >= length && byteLength <= 2 * length;
    const at = this.#spare.findLastIndex(fits);
    if (at < 0) return undefined;
    const [block] = this.#spare.splice(at, 1);
    this.#bytes -= block?.byteLength ?? 0;
    return block;
  }

  /**
   * Gives back the block that `bytes` lies in: whoever looks at it afterwards sees others' data. Memory that came
   * from elsewhere, or has come back before, is left alone.
   */
  give(bytes: Uint8Array): void {
    const buffer = bytes.buffer as ArrayBuffer;
    if (!this.#out.delete(buffer)) return;
    if (this.#spare.length >= KEPT_BLOCKS_MAX) return;
    if (this.#bytes + buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#spare.push(buffer);
    this.#bytes += buffer.byteLength;
  }
}

function fresh(length: number): ArrayBuffer {
  const bytes = Math.max(1, Math.ceil(length / BLOCK_UNIT)) * BLOCK_UNIT;
  return Buffer.allocUnsafeSlow(bytes).buffer;
}
