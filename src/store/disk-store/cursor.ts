/**
 * Walking sorted entries without an object for each: merges see every entry of the index many times.
 */

export interface Cursor {
  /** Of the entry it stands on; undefined: it is behind the last. */
  readonly key: string | undefined;
  /** Of the same; GONE (run.ts) for a removed key. Good until its source changes. */
  value(): Uint8Array;
  next(): void;
}

/** Several cursors as one; for equal keys the first one's entry counts. */
export class MergeCursor implements Cursor {
  readonly #cursors: readonly Cursor[];
  #least: Cursor | undefined;
  key: string | undefined;

  constructor(cursors: readonly Cursor[]) {
    this.#cursors = cursors;
    this.#find();
  }

  #find(): void {
    let least: Cursor | undefined;
    for (const cursor of this.#cursors) {
      if (cursor.key === undefined) continue;
      if (least === undefined || cursor.key < least.key!) least = cursor;
    }
    this.#least = least;
    this.key = least?.key;
  }

  value(): Uint8Array {
    return this.#least!.value();
  }

  next(): void {
    const { key } = this;
    for (const cursor of this.#cursors) if (cursor.key === key) cursor.next();
    this.#find();
  }
}
