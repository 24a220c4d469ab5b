/** Comparing an image with its copy on another cluster, byte by byte, at every snapshot and as it is now. */

import { CephError, ERRNO } from "../../base/index.ts";
import type { Image } from "../image.ts";
import type { Rbd } from "../rbd.ts";
import type { TransferProgress } from "./transfer-image.ts";

/** Bytes that are compared at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** @throws CephError EILSEQ where a byte differs, with its place; ENOENT if a snapshot is not there */
export async function verifyImage(
  image: { readonly rbd: Rbd; readonly name: string },
  copy: { readonly rbd: Rbd; readonly name: string },
  onProgress: TransferProgress,
): Promise<void> {
  await using head = await image.rbd.open(image.name, { readOnly: true });
  const snapshots = (await head.snapshots()).map((snapshot) => snapshot.name);
  for (const snapshot of [...snapshots, undefined]) {
    const at = { readOnly: true, ...(snapshot === undefined ? {} : { snapshot }) };
    await using one = await image.rbd.open(image.name, at);
    await using other = await copy.rbd.open(copy.name, at);
    await compare(one, other, snapshot, onProgress);
  }
}

async function compare(
  one: Image,
  other: Image,
  snapshot: string | undefined,
  onProgress: TransferProgress,
): Promise<void> {
  const { size: total, name } = one;
  const differs = (what: string) => {
    const target = `${name}${snapshot === undefined ? "" : `@${snapshot}`}: ${what}`;
    return new CephError(-ERRNO.EILSEQ, { op: "verify", target });
  };
  if (other.size !== total) throw differs(`${total} bytes here, ${other.size} there`);
  for (let at = 0; at < total; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, total - at);
    const [here, there] = await Promise.all([one.read(at, length), other.read(at, length)]);
    if (!here.equals(there)) throw differs(`not the same at ${at + firstDifference(here, there)}`);
    onProgress({ image: name, snapshot, done: at + length, total });
  }
}

function firstDifference(a: Buffer, b: Buffer): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
