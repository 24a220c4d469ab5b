/**
 * Creating an image, of format 2; of format 1: `create-format1.ts`.
 *
 *   pool validated -> name in the directory -> id object -> header -> stripes -> object map
 *
 * What fails takes back what was done.
 * ceph: src/librbd/image/CreateRequest.cc, src/librbd/internal.cc create
 */

import { randomU32 } from "../base/index.ts";
import {
  DIRECTORY_STATE,
  OBJECT_MAP_COUNT_MAX,
  OBJECT_STATE,
  RBD_FEATURE,
  RBD_FEATURES_ALL,
  RBD_FEATURES_DEFAULT,
  RBD_FEATURES_IMPLICIT_ENABLE,
  RBD_FEATURES_INTERNAL,
} from "../cls/rbd/types/features.ts";
import { opCreate, opStat } from "../messages/index.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { DIRECTORY, HEADER, OBJECT_MAP } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import type { RbdContext } from "./image.ts";
import { headerName, idObjectName, objectMapName, oldHeaderName, RBD_DIRECTORY } from "./names.ts";
import { validatePool } from "./pool.ts";
import { type Layout, objectsIn } from "./striper.ts";

const ID_LENGTH_MAX = 14;
const PREFIX_LENGTH_MAX = 43;
const ORDER_MIN = 12;
const ORDER_MAX = 25;
const STRIPE_UNIT_MIN = 512;

/** How an image is made; what is not said is as the cluster's defaults have it. */
export interface CreateOptions {
  /** RBD_FEATURE bits. @default layering, exclusive-lock, object-map, fast-diff, deep-flatten */
  readonly features?: bigint;
  /** log2 of the bytes of an object. @default 22: 4 MiB */
  readonly order?: number;
  /** Bytes; both or none of the two. @default the object size */
  readonly stripeUnit?: number;
  /** Objects that stripes go round. @default 1 */
  readonly stripeCount?: number;
  /** Pool for the data, by name. @default that of the header */
  readonly dataPool?: string;
  /** @default one that nobody else comes by */
  readonly id?: string;
  /** There is an image of format 1 of the name that nobody finds by it: a migration's source. @default false */
  readonly besideFormat1?: boolean;
  /** Whether the pool is made sure to be able to have images. @default true, rbd_validate_pool */
  readonly validatePool?: boolean;
}

/**
 * @param size bytes
 * @returns the image's id
 * @throws CephError EEXIST: there is one of the name; EINVAL: features, stripes or size that do not go
 *   together, or the pool can not have images; EDOM: order; ENOSYS: features there are not; ENOENT: no such
 *   data pool, or namespace; EOPNOTSUPP: with a journal; EBADF: there is one of the id
 */
export async function createImage(
  context: RbdContext,
  io: IoCtx,
  name: string,
  size: number,
  options: CreateOptions = {},
): Promise<string> {
  await checkFree(io, name, options.besideFormat1);
  const plan = planImage(io, name, size, options);
  const dataPool = await openDataPool(context, io, plan.dataPool);
  if (options.validatePool !== false) await validatePool(dataPool ?? io);
  const id = options.id ?? newImageId(context);
  const { order } = plan;
  const objectPrefix = `rbd_data.${dataPool === undefined ? "" : `${io.pool}.`}${id}`;
  await addToDirectory(io, name, id);
  const undo: (() => Promise<unknown>)[] = [
    () => unless(io.execute(RBD_DIRECTORY, DIRECTORY.remove, { name, id }), "ENOENT"),
  ];
  try {
    await io.write(idObjectName(name), [opCreate(true), callOp(DIRECTORY.setId, id)]);
    undo.unshift(() => unless(io.remove(idObjectName(name)), "ENOENT"));
    if (objectPrefix.length > PREFIX_LENGTH_MAX) {
      throw imageError("EINVAL", "create", name, "its objects' names are too long");
    }
    const features = await negotiated(io, plan.features, options.features === undefined);
    const header = { size, order, features, objectPrefix, dataPoolId: dataPool?.pool ?? -1 };
    try {
      await io.write(headerName(id), [opCreate(true), callOp(HEADER.create, header)]);
    } catch (error) {
      // Another's, whose name is not ours to take back.
      if (!isErrno(error, "EEXIST")) throw error;
      throw imageError("EBADF", "create", name, "there is one of this id");
    }
    undo.unshift(() => unless(io.remove(headerName(id)), "ENOENT"));
    const { stripeUnit, stripeCount } = plan;
    if ((features & RBD_FEATURE.STRIPINGV2) !== 0n) {
      const stripes = { stripeUnit: BigInt(stripeUnit), stripeCount: BigInt(stripeCount) };
      await io.execute(headerName(id), HEADER.setStripes, stripes);
    }
    if ((features & RBD_FEATURE.OBJECT_MAP) !== 0n) {
      const objectCount = BigInt(objectsIn(plan, size));
      const map = { objectCount, defaultState: OBJECT_STATE.NONEXISTENT };
      await io.execute(objectMapName(id), OBJECT_MAP.resize, map);
    }
    return id;
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

/** An id that no other image of the cluster has.  ceph: src/librbd/Utils.cc generate_image_id */
export function newImageId({ rados, random }: RbdContext): string {
  const id = rados.globalId.toString(16) + randomU32(random).toString(16);
  return id.slice(-ID_LENGTH_MAX);
}

/** @throws CephError EEXIST if there is an image of the name, of either format */
export async function checkFree(io: IoCtx, name: string, besideFormat1 = false): Promise<void> {
  for (const oid of besideFormat1
    ? [idObjectName(name)]
    : [oldHeaderName(name), idObjectName(name)]) {
    if ((await unless(io.read(oid, [opStat()]), "ENOENT")) !== undefined) {
      throw imageError("EEXIST", "create", name);
    }
  }
}

/** @param order 0: as by default @throws CephError EDOM */
export function checkedOrder(name: string, order: number | undefined): number {
  const wanted = order || 22;
  if (wanted >= ORDER_MIN && wanted <= ORDER_MAX) return wanted;
  throw imageError("EDOM", "create", name, `the order must be from ${ORDER_MIN} to ${ORDER_MAX}`);
}

interface ImagePlan extends Layout {
  readonly features: bigint;
  readonly order: number;
  readonly dataPool: string | undefined;
}

function planImage(io: IoCtx, name: string, size: number, options: CreateOptions): ImagePlan {
  const { OBJECT_MAP: MAP, FAST_DIFF, STRIPINGV2, DATA_POOL } = RBD_FEATURE;
  const refuse = (code: "EINVAL" | "ENOSYS" | "EOPNOTSUPP", why: string) =>
    imageError(code, "create", name, why);
  const order = checkedOrder(name, options.order);
  let features = (options.features ?? RBD_FEATURES_DEFAULT) & ~RBD_FEATURES_IMPLICIT_ENABLE;
  if ((features & MAP) !== 0n) features |= FAST_DIFF;
  const unit = options.stripeUnit ?? 0;
  const count = options.stripeCount ?? 0;
  const objectSize = 2 ** order;
  if ((unit !== 0 && unit !== objectSize) || (count !== 0 && count !== 1)) features |= STRIPINGV2;
  const isElsewhere = options.dataPool !== undefined && options.dataPool !== "";
  const dataPool = isElsewhere && options.dataPool !== io.poolName ? options.dataPool : undefined;
  if (dataPool !== undefined) features |= DATA_POOL;
  checkFeatures(features, refuse);
  if ((unit === 0) !== (count === 0))
    throw refuse("EINVAL", "stripe unit and count: both, or none");
  if (unit > objectSize || (unit > 0 && objectSize % unit !== 0)) {
    throw refuse("EINVAL", "the stripe unit is no factor of the object size");
  }
  if (unit !== 0 && unit < STRIPE_UNIT_MIN) {
    throw refuse("EINVAL", `the stripe unit must be at least ${STRIPE_UNIT_MIN} bytes`);
  }
  const stripeUnit = unit || objectSize;
  const stripeCount = count || 1;
  const plan = { features, order, dataPool, objectSize, stripeUnit, stripeCount };
  if ((features & MAP) !== 0n && objectsIn(plan, size) > OBJECT_MAP_COUNT_MAX) {
    throw refuse("EINVAL", "too large for an object map");
  }
  return plan;
}

function checkFeatures(
  features: bigint,
  refuse: (code: "EINVAL" | "ENOSYS" | "EOPNOTSUPP", why: string) => Error,
): void {
  const has = (feature: bigint) => (features & feature) !== 0n;
  if (has(~RBD_FEATURES_ALL)) throw refuse("ENOSYS", "features that there are not");
  if (has(RBD_FEATURES_INTERNAL)) throw refuse("EINVAL", "internal features");
  const { EXCLUSIVE_LOCK, OBJECT_MAP: MAP, JOURNALING } = RBD_FEATURE;
  if (has(MAP | JOURNALING) && !has(EXCLUSIVE_LOCK)) {
    throw refuse("EINVAL", "object maps and journals need an exclusive lock");
  }
  if (has(JOURNALING)) throw refuse("EOPNOTSUPP", "journals are not supported");
}

async function openDataPool(
  { rados }: RbdContext,
  io: IoCtx,
  name: string | undefined,
): Promise<IoCtx | undefined> {
  return name === undefined ? undefined : await rados.openPool(name, io.nspace);
}

async function addToDirectory(io: IoCtx, name: string, id: string): Promise<void> {
  // A namespace whose last image goes may be removed at any time.
  const isThere = io.nspace === "" ? [] : [callOp(DIRECTORY.assertState, DIRECTORY_STATE.READY)];
  await io.write(RBD_DIRECTORY, [...isThere, callOp(DIRECTORY.add, { name, id })]);
}

/** Those of the defaults that the OSDs know, too. */
async function negotiated(io: IoCtx, features: bigint, isDefault: boolean): Promise<bigint> {
  if (!isDefault) return features;
  const all = await unless(
    io.query(RBD_DIRECTORY, DIRECTORY.getAllFeatures, undefined),
    "EOPNOTSUPP",
  );
  return all === undefined ? features : features & all;
}
