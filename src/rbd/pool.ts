/**
 * A pool of images as a whole: made ready for images, counted.
 * ceph: src/librbd/api/Pool.cc, src/librbd/image/ValidatePoolRequest.cc
 */

import { TRASH_IMAGE_SOURCE } from "../cls/rbd/types/features.ts";
import { bytesOf } from "../encoding/index.ts";
import { opCreate, opRead, opWrite, opWriteFull } from "../messages/index.ts";
import { callOp, callReply, enableApplication, type IoCtx, type Rados } from "../rados/index.ts";
import { NOSNAP } from "../types/index.ts";
import { HEADER } from "./calls.ts";
import { listImages } from "./directory.ts";
import { unless } from "./errors.ts";
import { headerName, RBD_INFO } from "./names.ts";
import { mapLimited } from "./progress.ts";
import { listTrash } from "./trash.ts";

const APPLICATION = "rbd";
const VALIDATE = "validate";
const VALIDATED = "overwrite validated";
const CONCURRENT = 10;

/**
 * Says that the pool is for images, and makes sure that it can have any.
 * @param options.force even if it is another application's already @default false
 * @param options.validate whether it is made sure @default true, rbd_validate_pool
 * @throws CephError EPERM: another application's; EINVAL: its snapshots are not ours to manage
 */
export async function initPool(
  rados: Rados,
  io: IoCtx,
  options: { readonly force?: boolean; readonly validate?: boolean } = {},
): Promise<void> {
  const { force = false, validate = true } = options;
  await enableApplication(rados, io.pool, APPLICATION, { force });
  if (validate) await validatePool(io);
}

/**
 * Makes sure that a pool keeps self-managed snapshots, and overwrites: once for each pool.
 * @throws CephError EINVAL: it does not
 */
export async function validatePool(pool: IoCtx): Promise<void> {
  // Once for all namespaces.
  const io = pool.inNamespace("");
  const info = await unless(io.read(RBD_INFO, [opRead(0, 0)]), "ENOENT");
  const state = Buffer.from(info?.ops[0]?.data ?? []).toString("latin1");
  if (state === VALIDATED) return;
  if (state !== VALIDATE) {
    // The first of a pool turns it to self-managed snapshots for good.
    const snapId = await io.createSnapId();
    const first = [opCreate(true), opWrite(0, bytesOf(VALIDATE))];
    await unless(io.write(RBD_INFO, first), "EEXIST");
    await io.removeSnapId(snapId);
  }
  await io.write(RBD_INFO, [opWriteFull(bytesOf(VALIDATED))]);
}

/** Bytes are those that images could have, not those they take. */
export interface PoolStats {
  readonly imageCount: number;
  readonly imageProvisionedBytes: number;
  /** As large as each image has ever been, by its snapshots. */
  readonly imageMaxProvisionedBytes: number;
  readonly imageSnapshotCount: number;
  readonly trashCount: number;
  readonly trashProvisionedBytes: number;
  readonly trashMaxProvisionedBytes: number;
  readonly trashSnapshotCount: number;
}

/** Of one namespace. */
export async function poolStats(io: IoCtx): Promise<PoolStats> {
  const images = await sumUp(io, [...(await listImages(io)).values()]);
  const { USER, USER_PARENT } = TRASH_IMAGE_SOURCE;
  const inTrash = [...(await listTrash(io))].filter(
    ([, { source }]) => source === USER || source === USER_PARENT,
  );
  const trash = await sumUp(
    io,
    inTrash.map(([id]) => id),
  );
  return {
    imageCount: images.count,
    imageProvisionedBytes: images.provisioned,
    imageMaxProvisionedBytes: images.maxProvisioned,
    imageSnapshotCount: images.snapshots,
    trashCount: trash.count,
    trashProvisionedBytes: trash.provisioned,
    trashMaxProvisionedBytes: trash.maxProvisioned,
    trashSnapshotCount: trash.snapshots,
  };
}

async function sumUp(io: IoCtx, ids: readonly string[]) {
  const sum = { count: ids.length, provisioned: 0, maxProvisioned: 0, snapshots: 0 };
  await mapLimited(ids, CONCURRENT, async (id) => {
    const oid = headerName(id);
    const head = io.read(oid, [
      callOp(HEADER.getSize, { snapId: NOSNAP }),
      callOp(HEADER.getSnapContext, undefined),
    ]);
    // Removed meanwhile.
    const reply = await unless(head, "ENOENT");
    if (reply === undefined) return;
    const { size } = callReply(HEADER.getSize, reply.ops[0]?.data);
    const { snaps } = callReply(HEADER.getSnapContext, reply.ops[1]?.data);
    let largest = size;
    for (const snapId of snaps) {
      const at = await unless(io.query(oid, HEADER.getSize, { snapId }), "ENOENT");
      largest = Math.max(largest, at?.size ?? 0);
    }
    sum.provisioned += size;
    sum.maxProvisioned += largest;
    sum.snapshots += snaps.length;
  });
  return sum;
}
