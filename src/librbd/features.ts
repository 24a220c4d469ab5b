/** Features of images by the names that the tools use. ceph: src/librbd/Features.cc */

import { ConfigError } from "../base/index.ts";
import { RBD_FEATURE_NAMES } from "../cls/rbd/types/features.ts";

/** All there are, in the order of their bits. */
export const FEATURE_NAMES: readonly string[] = RBD_FEATURE_NAMES;

/** In the order of their bits: `["layering", "exclusive-lock"]`. */
export function featureNames(bits: bigint): string[] {
  return RBD_FEATURE_NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) !== 0n);
}

/** @throws ConfigError if a name is no feature's */
export function featureBits(names: Iterable<string>): bigint {
  let bits = 0n;
  for (const name of names) {
    const bit = RBD_FEATURE_NAMES.indexOf(name);
    if (bit < 0) {
      throw new ConfigError(`feature '${name}': there are ${RBD_FEATURE_NAMES.join(", ")}`);
    }
    bits |= 1n << BigInt(bit);
  }
  return bits;
}
