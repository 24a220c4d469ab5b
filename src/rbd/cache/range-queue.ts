/**
 * Changes of ranges of objects: those that overlap are made one after the other, in the order in which they
 * came, the others at the same time.
 * ceph: src/librbd/cache/WriteAroundObjectDispatch.cc block_overlapping_io
 */

interface Entry {
  readonly start: number;
  readonly end: number;
  /** Resolves when the change has been made, be it well or not. */
  readonly done: Promise<void>;
}

export class RangeQueue {
  readonly #objects = new Map<number, Set<Entry>>();

  /** Makes a change once those before it are done: in this turn, if there are none. */
  async run<T>(
    objectNo: number,
    [offset, length]: readonly [offset: number, length: number],
    change: () => Promise<T>,
  ): Promise<T> {
    const entries = this.#objects.get(objectNo) ?? new Set<Entry>();
    this.#objects.set(objectNo, entries);
    const end = offset + length;
    const before = [...entries].filter((entry) => entry.start < end && offset < entry.end);
    let finish = () => undefined as void;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const own = { start: offset, end, done };
    entries.add(own);
    try {
      if (before.length > 0) await Promise.all(before.map((entry) => entry.done));
      return await change();
    } finally {
      entries.delete(own);
      if (entries.size === 0) this.#objects.delete(objectNo);
      finish();
    }
  }
}
