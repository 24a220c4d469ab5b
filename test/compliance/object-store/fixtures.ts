/**
 * What the object store's suites share: names, seeded bytes, and short ways to submit, read and compare.
 */

import { expect } from "vitest";
import { type BufferList, bytesEqual, flatten } from "../../../src/encoding/index.ts";
import type { ObjectStore, StoreOp, TransactionSeq } from "../../../src/store/index.ts";
import { type HObject, NOSNAP } from "../../../src/types/index.ts";

export const PG = "1.0";

export function named(oid: string, rest: Partial<HObject> = {}): HObject {
  return { key: "", oid, snap: NOSNAP, hash: 7, max: 0, nspace: "", pool: 1n, ...rest };
}

export function bytes(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let x = seed * 2654435761;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    out[i] = (x >>> 16) | 1; // never zero: a hole cannot pass for data
  }
  return out;
}

export function text(s: string): Uint8Array {
  return new Uint8Array(Buffer.from(s, "latin1"));
}

export function submit(store: ObjectStore, ...ops: StoreOp[]): TransactionSeq {
  return store.submit({ collection: PG, ops });
}

export async function content(
  store: ObjectStore,
  object: HObject,
  offset = 0,
  length = 2 ** 30,
): Promise<Uint8Array> {
  const list: BufferList = await store.read(PG, object, offset, length);
  return Uint8Array.from(flatten(list));
}

/** Byte for byte, quickly, and naming the first difference. */
export function same(got: Uint8Array, wanted: Uint8Array, what = ""): void {
  if (bytesEqual(got, wanted)) return;
  const at = wanted.findIndex((x, i) => got[i] !== x);
  expect.fail(`${what}: ${got.length} bytes for ${wanted.length}, different at ${at}`);
}
