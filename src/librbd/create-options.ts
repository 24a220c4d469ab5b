/** How images are made: what is asked for in words, as the engine has it. */

import type { ClientConfig } from "../config/index.ts";
import { nameBytes } from "../encoding/index.ts";
import type { CreateOptions as EngineOptions } from "../rbd/index.ts";
import { featureBits } from "./features.ts";

export interface CreateOptions {
  /** @default rbd_default_features: layering, exclusive-lock, object-map, fast-diff, deep-flatten */
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

export interface NewImageOptions extends CreateOptions {
  /**
   * 1: the old format, without features, stripes, clones and namespaces, which librbd makes for those alone who set
   * RBD_FORCE_ALLOW_V1. Of the options of format 2 it takes the object size only. @default 2
   */
  readonly format?: 1 | 2;
}

/** What is not said is as the client's options have it.  ceph: src/librbd/ImageOptions (rbd_default_*) */
export function withDefaults(options: EngineOptions, config: ClientConfig): EngineOptions {
  const features = config.get("rbd_default_features");
  const [stripeUnit, stripeCount] = ["unit", "count"].map((what) =>
    config.getNumber(`rbd_default_stripe_${what}`),
  );
  const isStriped = stripeUnit !== 0 && stripeCount !== 0;
  const dataPool = config.get("rbd_default_data_pool");
  return {
    features: /^\d+$/.test(features) ? BigInt(features) : featureBits(features.split(",")),
    order: config.getNumber("rbd_default_order"),
    ...(isStriped ? { stripeUnit: stripeUnit ?? 0, stripeCount: stripeCount ?? 0 } : {}),
    ...(dataPool === "" ? {} : { dataPool: nameBytes(dataPool) }),
    validatePool: config.getBoolean("rbd_validate_pool"),
    ...options,
  };
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
