/**
 * A payload as an array of views, written with one writev: data is never joined on its way through.
 */

/** Views in order. Whoever holds one may not write into the bytes. */
export type BufferList = readonly Uint8Array[];

export const EMPTY = new Uint8Array(0);

/** Bytes in all views together. */
export function listLength(list: BufferList): number {
  let n = 0;
  for (const chunk of list) n += chunk.length;
  return n;
}

/** One contiguous view: the only chunk itself, or a copy. Keep off data paths. */
export function flatten(list: BufferList): Uint8Array {
  if (list.length === 1) return list[0]!;
  if (list.length === 0) return EMPTY;
  const out = new Uint8Array(listLength(list));
  let at = 0;
  for (const chunk of list) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Views of `[offset, offset + length)` of the list; short if the list ends before. */
export function slice(list: BufferList, offset: number, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let skip = offset;
  let want = length;
  for (const chunk of list) {
    if (want <= 0) break;
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    const part = chunk.subarray(skip, Math.min(chunk.length, skip + want));
    out.push(part);
    want -= part.length;
    skip = 0;
  }
  return out;
}

/** Equal bytes? */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
