/**
 * Cache tiers and manifests: objects of which another pool has the data. For tests and repairs of what there is;
 * a cluster without tiers answers EINVAL or EOPNOTSUPP.
 * ceph: src/include/rados/librados.hpp cache_flush, tier_promote, set_redirect, set_chunk …
 */

import { nameBytes } from "../encoding/index.ts";
import {
  OSD_FLAG,
  OSD_OP_FLAG,
  opSetChunk,
  opSetRedirect,
  opTierStep,
  type TierStep,
  withFlags,
} from "../messages/index.ts";
import type { CallOptions } from "../rados/index.ts";
import type { IoCtx } from "./io-ctx.ts";

export type { TierStep } from "../messages/index.ts";

const { IGNORE_CACHE, IGNORE_OVERLAY, SKIPRWLOCKS } = OSD_FLAG;

/** By step: is it a change of the object itself; else how it gets by the tier. */
const WAYS: Readonly<Record<TierStep, "write" | number>> = {
  CACHE_FLUSH: IGNORE_CACHE | IGNORE_OVERLAY,
  CACHE_TRY_FLUSH: IGNORE_CACHE | IGNORE_OVERLAY | SKIPRWLOCKS,
  CACHE_EVICT: IGNORE_CACHE | IGNORE_OVERLAY | SKIPRWLOCKS,
  TIER_PROMOTE: "write",
  TIER_FLUSH: IGNORE_CACHE | IGNORE_OVERLAY,
  TIER_EVICT: IGNORE_CACHE | IGNORE_OVERLAY,
  UNSET_MANIFEST: "write",
};

/** @param options.snap which clone of it @default the head @throws CephError */
export async function tierStep(
  io: IoCtx,
  oid: string,
  step: TierStep,
  options: { readonly snap?: bigint } & CallOptions = {},
): Promise<void> {
  const way = WAYS[step];
  const ops = [opTierStep(step)];
  const { snap: _, ...limits } = options;
  if (way === "write") await io.engine.write(nameBytes(oid), ops, limits);
  else await io.engine.read(nameBytes(oid), ops, { ...options, flags: way });
}

export interface TierTarget {
  /** Its pool, namespace and locator. */
  readonly io: IoCtx;
  readonly oid: string;
}

function targetOf({ io, oid }: TierTarget) {
  const { engine } = io;
  const locator = { pool: engine.pool, key: engine.key, nspace: engine.nspace, hash: -1 };
  return { oid: nameBytes(oid), locator };
}

/** Has another object stand in for this one. @param counted the other one counts who refers to it */
export async function setRedirect(
  io: IoCtx,
  oid: string,
  target: TierTarget,
  counted = false,
  options: CallOptions = {},
): Promise<void> {
  const op = opSetRedirect(targetOf(target));
  const flags = counted ? OSD_OP_FLAG.WITH_REFERENCE : 0;
  await io.engine.write(nameBytes(oid), [withFlags(op, flags)], options);
}

/** Has a part of another object stand in for a part of this one, and count it. Bytes. */
export async function setChunk(
  io: IoCtx,
  oid: string,
  part: { readonly offset: number; readonly length: number },
  target: TierTarget & { readonly offset: number },
  options: CallOptions = {},
): Promise<void> {
  const op = opSetChunk(part, { ...targetOf(target), offset: target.offset });
  await io.engine.read(nameBytes(oid), [withFlags(op, OSD_OP_FLAG.WITH_REFERENCE)], options);
}
