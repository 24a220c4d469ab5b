/**
 * Memory that begins on a page boundary, as direct I/O wants it. Node gives none, WebAssembly does.
 *
 * Each call reserves address space of its own and is returned to the system only when collected: ask for
 * few large pieces, and keep them.
 */

/** The one part of WebAssembly we use; its types come with the DOM's, which we do not load. */
const { Memory } = (
  globalThis as unknown as {
    WebAssembly: {
      Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
    };
  }
).WebAssembly;

const WASM_PAGE_SIZE = 65_536;

/** The buffers given out here: their addresses are page-aligned. */
const aligned = new WeakSet<ArrayBufferLike>();

/** Zeros; the system gives a page when it is first written to. */
export function alignedBuffer(length: number): Buffer {
  const pages = Math.ceil(length / WASM_PAGE_SIZE);
  const memory = new Memory({ initial: pages, maximum: pages });
  aligned.add(memory.buffer);
  return Buffer.from(memory.buffer, 0, length);
}

/** Is the start of this memory aligned? Offsets within it are its owner's business. */
export function isAlignedMemory(memory: ArrayBufferLike): boolean {
  return aligned.has(memory);
}
