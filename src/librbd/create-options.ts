/** How images are made: what is asked for in words, as the engine has it. */

import { nameBytes } from "../encoding/index.ts";
import type { CreateOptions as EngineOptions } from "../rbd/index.ts";
import { featureBits } from "./features.ts";

export interface CreateOptions {
  /** @default layering, exclusive-lock, object-map, fast-diff, deep-flatten */
  readonly features?: readonly string[];
  /** Bytes of an object: a power of two from 4 KiB to 32 MiB. @default 4 MiB */
  readonly objectSize?: number;
  /** Bytes; with `stripeCount`. @default the object size */
  readonly stripeUnit?: number;
  /** Objects that stripes go round. @default 1 */
  readonly stripeCount?: number;
  /** Pool of the data, where that is not to be the image's own. */
  readonly dataPool?: string;
}

export function engineCreateOptions(options: CreateOptions): EngineOptions {
  const { features, objectSize, stripeUnit, stripeCount, dataPool } = options;
  return {
    ...(features === undefined ? {} : { features: featureBits(features) }),
    ...(objectSize === undefined ? {} : { order: Math.log2(objectSize) }),
    ...(stripeUnit === undefined ? {} : { stripeUnit }),
    ...(stripeCount === undefined ? {} : { stripeCount }),
    ...(dataPool === undefined ? {} : { dataPool: nameBytes(dataPool) }),
  };
}
