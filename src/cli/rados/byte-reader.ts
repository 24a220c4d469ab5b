/** Bytes of a stream by the number, whatever the pieces that it comes in. */

export class ByteReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #held: Buffer[] = [];
  #length = 0;

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next so many bytes; undefined if the stream ends before. */
  async take(size: number): Promise<Buffer | undefined> {
    while (this.#length < size) {
      const next = await this.#pieces.next();
      if (next.done === true) return undefined;
      this.#held.push(next.value);
      this.#length += next.value.length;
    }
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#held = [all.subarray(size)];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }
}
