/**
 * One draw from a bucket: which item a bucket gives for input `x` at try `r`.
 *
 * Each kind of bucket keeps its own promise about how little moves when items come, go or change weight.
 * ceph: src/crush/mapper.c bucket_*_choose
 */

import { crushLn } from "./crush-ln.ts";
import { crushHash32x3, crushHash32x4 } from "./hash.ts";
import {
  CRUSH_BUCKET,
  type CrushBucket,
  type CrushChooseArg,
  type ListBucket,
  type Straw2Bucket,
  type StrawBucket,
  type TreeBucket,
} from "./map.ts";

const TWO_16 = 0x1_0000;

/** Random orders of buckets for one `x`, as far as they were needed. */
export type Permutations = Map<number, number[]>;

/**
 * The r-th item of a random order of the bucket. The order is a shuffle from the front, so its first
 * entries do not depend on how many are asked for.
 */
export function permChoose(bucket: CrushBucket, perms: Permutations, x: number, r: number): number {
  const { items } = bucket;
  const size = items.length;
  let perm = perms.get(bucket.id);
  if (perm === undefined) {
    perm = items.map((_, i) => i);
    for (let p = 0; p < size - 1; p++) {
      const swap = p + (crushHash32x3(x, bucket.id, p) % (size - p));
      const other = perm[swap]!;
      perm[swap] = perm[p]!;
      perm[p] = other;
    }
    perms.set(bucket.id, perm);
  }
  return items[perm[(r >>> 0) % size]!]!;
}

/** From the newest item down: does the draw fall to it or to those before? */
function listChoose(b: ListBucket, x: number, r: number): number {
  for (let i = b.items.length - 1; i >= 0; i--) {
    const draw = crushHash32x4(x, b.items[i]!, r, b.id) & 0xffff;
    if (Math.floor((draw * b.sumWeights[i]!) / TWO_16) < b.itemWeights[i]!) return b.items[i]!;
  }
  return b.items[0]!;
}

/** floor(a * b / 2^32) of two unsigned words, exactly. */
function scaled(a: number, b: number): number {
  const low = (a & 0xffff) * b;
  return Math.floor(((a >>> 16) * b + low / TWO_16) / TWO_16);
}

/** Down a binary tree whose leaves are the odd nodes. */
function treeChoose(b: TreeBucket, x: number, r: number): number {
  const nodes = b.nodeWeights;
  let n = nodes.length >> 1;
  while (n !== 0 && (n & 1) === 0) {
    const draw = scaled(crushHash32x4(x, n, r, b.id), nodes[n]!);
    // Children lie half the node's lowest set bit to either side.
    const half = (n & -n) >> 1;
    n = draw < nodes[n - half]! ? n - half : n + half;
  }
  // A subtree without weight may end past the last item, where upstream's memory has a zero.
  return b.items[n >> 1] ?? 0;
}

/** The longest straw; lengths were worked out from the weights when the map was made. */
function strawChoose(b: StrawBucket, x: number, r: number): number {
  let best = 0;
  let bestDraw = -1;
  for (let i = 0; i < b.items.length; i++) {
    const draw = (crushHash32x3(x, b.items[i]!, r) & 0xffff) * b.straws[i]!;
    if (draw > bestDraw) {
      best = i;
      bestDraw = draw;
    }
  }
  return b.items[best]!;
}

/** The longest of exponentially distributed straws: shares follow the weights exactly. */
function straw2Choose(
  b: Straw2Bucket,
  x: number,
  r: number,
  arg: CrushChooseArg | undefined,
  position: number,
): number {
  const sets = arg?.weightSet ?? [];
  const weights = sets[Math.min(position, sets.length - 1)] ?? b.itemWeights;
  const ids = arg !== undefined && arg.ids.length > 0 ? arg.ids : b.items;
  let best = 0;
  let bestDraw = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < b.items.length; i++) {
    const weight = weights[i]! | 0;
    if (weight === 0) continue;
    // |ln| < 2^48 and the weight is a whole number: the quotient's whole part is exact in a double.
    const draw = Math.trunc(crushLn(crushHash32x3(x, ids[i]!, r) & 0xffff) / weight);
    if (draw > bestDraw) {
      best = i;
      bestDraw = draw;
    }
  }
  return b.items[best]!;
}

/** The item of a bucket that is not empty. `position` selects among a balancer's weight sets. */
export function bucketChoose(
  bucket: CrushBucket,
  perms: Permutations,
  x: number,
  r: number,
  arg: CrushChooseArg | undefined,
  position: number,
): number {
  switch (bucket.alg) {
    case CRUSH_BUCKET.UNIFORM:
      return permChoose(bucket, perms, x, r);
    case CRUSH_BUCKET.LIST:
      return listChoose(bucket, x, r);
    case CRUSH_BUCKET.TREE:
      return treeChoose(bucket, x, r);
    case CRUSH_BUCKET.STRAW:
      return strawChoose(bucket, x, r);
    case CRUSH_BUCKET.STRAW2:
      return straw2Choose(bucket, x, r, arg, position);
  }
}
