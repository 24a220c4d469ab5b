/**
 * Emptying the trash of a pool: of what may go, and of what has to for the pools of the data to have room.
 * ceph: src/librbd/api/Trash.cc Trash<I>::purge
 */

import { CephError } from "../base/index.ts";
import { TRASH_IMAGE_SOURCE } from "../cls/rbd/types/features.ts";
import type { TrashImageSpec } from "../cls/rbd/types.ts";
import { byteString } from "../encoding/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { compareUtime } from "../types/index.ts";
import { HEADER } from "./calls.ts";
import { diffIterate } from "./diff.ts";
import { imageError, unless } from "./errors.ts";
import { Image, poolOf, type RbdContext } from "./image.ts";
import { headerName } from "./names.ts";
import { noProgress, type Progress } from "./progress.ts";
import { getTrash, isDue, listTrash, removeTrash } from "./trash.ts";

export interface PurgeOptions {
  /** What is kept until then goes, in milliseconds since 1970. @default now */
  readonly dueMs?: number;
  /**
   * The most that a pool of data may be used, 0 to 1: of a fuller one images go, whatever time they are kept for,
   * until as much is free as is to be; and with them what is due. If no pool is fuller, nothing goes.
   */
  readonly threshold?: number;
  /** Counts images. */
  readonly progress?: Progress;
}

type Entry = readonly [id: string, spec: TrashImageSpec];

/**
 * Removes what users have put into the trash and may go. The first that can not be removed ends it.
 * @throws CephError EINVAL: no such threshold; those of removeTrash
 */
export async function purgeTrash(
  context: RbdContext,
  io: IoCtx,
  options: PurgeOptions = {},
): Promise<void> {
  const { dueMs = context.clock.now(), threshold, progress = noProgress } = options;
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    throw imageError("EINVAL", "purge", "the trash", `a threshold of ${threshold}`);
  }
  const { USER, USER_PARENT } = TRASH_IMAGE_SOURCE;
  const entries = [...(await listTrash(io))].filter(
    ([, { source }]) => source === USER || source === USER_PARENT,
  );
  const early = threshold === undefined ? [] : await toFree(context, io, entries, threshold);
  if (threshold !== undefined && early.length === 0) return;
  const chosen = entries.filter(([id, spec]) => early.includes(id) || isDue(spec, dueMs));
  for (const [i, [id]] of chosen.entries()) {
    // Those before it take their time: it may have come back, and gone again to be kept for longer.
    const spec = await unless(getTrash(io, id), "ENOENT");
    if (spec !== undefined && (early.includes(id) || isDue(spec, dueMs))) {
      await removeTrash(context, io, id, { force: true, progress: noProgress });
    }
    progress(i + 1, chosen.length);
  }
}

/** Ids of the images that go for no pool to be fuller than `threshold`: none, if that would free nothing. */
async function toFree(
  context: RbdContext,
  io: IoCtx,
  entries: readonly Entry[],
  threshold: number,
): Promise<string[]> {
  const idsOf = await byDataPool(io, entries);
  const chosen: string[] = [];
  let freed = 0;
  for (const { name, usedRatio, bytes } of await poolUsage(context)) {
    const ids = idsOf.get(name) ?? [];
    if (usedRatio <= threshold) continue;
    const wanted = Math.floor(bytes * (usedRatio - threshold));
    let found = 0;
    for (const id of ids) {
      const size = await bytesOfImage(context, io, id);
      if (size === undefined) continue;
      chosen.push(id);
      found += size;
      if (found >= wanted) break;
    }
    freed += found;
  }
  return freed === 0 ? [] : chosen;
}

/** Ids by the name of the pool their data is in, those first that may go first. */
async function byDataPool(io: IoCtx, entries: readonly Entry[]): Promise<Map<string, string[]>> {
  const sorted = [...entries].sort(([, a], [, b]) =>
    compareUtime(a.defermentEndTime, b.defermentEndTime),
  );
  const found = new Map<string, string[]>();
  for (const [id] of sorted) {
    const asked = io.query(headerName(id), HEADER.getDataPool, undefined);
    const poolId = await unless(asked, "ENOENT", "EOPNOTSUPP");
    const data = poolId === undefined || poolId < 0 ? io : poolOf(io, poolId);
    // A pool that is gone has nothing to free.
    if (data === undefined) continue;
    found.set(data.poolName, [...(found.get(data.poolName) ?? []), id]);
  }
  return found;
}

interface PoolUsage {
  /** Byte string. */
  readonly name: string;
  /** 0 to 1. */
  readonly usedRatio: number;
  /** What it uses and could still use. */
  readonly bytes: number;
}

interface DiskFree {
  readonly pools: readonly {
    readonly name: string;
    readonly stats: {
      readonly percent_used: number;
      readonly max_avail: number;
      readonly bytes_used: number;
    };
  }[];
}

/** As `ceph df` tells it. @throws CephError of the command */
async function poolUsage({ rados }: RbdContext): Promise<PoolUsage[]> {
  const { result, status, data } = await rados.command({ prefix: "df", format: "json" });
  if (result < 0) throw new CephError(result, { op: "ask for", target: "df", cause: status });
  const { pools } = JSON.parse(Buffer.from(data).toString("utf8")) as DiskFree;
  return pools.map(({ name, stats }) => ({
    name: byteString(name),
    usedRatio: stats.percent_used,
    bytes: stats.max_avail + stats.bytes_used,
  }));
}

/** What an image's own objects could free, by its object map if it has one; undefined: it is gone. */
async function bytesOfImage(
  context: RbdContext,
  io: IoCtx,
  id: string,
): Promise<number | undefined> {
  const image = await unless(Image.open(context, io, { id }, { readOnly: true }), "ENOENT");
  if (image === undefined) return undefined;
  try {
    let bytes = 0;
    await diffIterate(image, { wholeObject: true, includeParent: false }, (_, length, exists) => {
      if (exists) bytes += length;
    });
    return bytes;
  } finally {
    await image.close();
  }
}
