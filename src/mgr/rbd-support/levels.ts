/**
 * From what a user calls a level to what it is, and back from the id it is stored under.
 * ceph: src/pybind/mgr/rbd_support/schedule.py class LevelSpec
 */

import { byteString, textOf } from "../../encoding/index.ts";
import { type IoCtx } from "../../rados/index.ts";
import { Image, isErrno, listNamespaces } from "../../rbd/index.ts";
import { ModuleError } from "./errors.ts";
import { type ModuleHost, rbdPools } from "./host.ts";
import { GLOBAL_LEVEL, type Level } from "./schedule.ts";

/** What a kind of schedule asks of its levels. */
export interface LevelRules {
  /** May a level be an image? */
  readonly images: boolean;
  /** Throws ModuleError for an image that can not have such a schedule. */
  readonly checkImage?: (io: IoCtx, image: Image) => Promise<void>;
  /** The same for a namespace. */
  readonly checkNamespace?: (io: IoCtx) => Promise<void>;
}

function bad(why: string): ModuleError {
  return new ModuleError("EINVAL", why);
}

/** @throws ModuleError EINVAL, without the words that a command puts before it */
export async function levelByName(
  host: ModuleHost,
  text: string,
  rules: LevelRules,
): Promise<Level> {
  const match = /^(?:([^/]+)\/(?:(?:([^/]*)\/|)(?:([^/@]+))?)?)?$/.exec(text);
  if (match === null) throw bad(`failed to parse ${text}`);
  const [, pool, group, imageName] = match;
  if (imageName !== undefined && !rules.images) {
    throw bad(`invalid name ${text}: image level is not allowed`);
  }
  if (pool === undefined) return GLOBAL_LEVEL;
  const io = await poolByName(host, pool);
  const poolId = String(io.pool);
  if (group === undefined && imageName === undefined) {
    return { name: text, id: poolId, poolId, nspace: undefined, imageId: undefined };
  }
  const nspace = group ?? "";
  const inside = await namespaceOf(io, nspace, rules);
  if (imageName === undefined) {
    return { name: text, id: `${poolId}/${nspace}`, poolId, nspace, imageId: undefined };
  }
  const image = await openImage(host, inside, { name: byteString(imageName) }, imageName);
  await rules.checkImage?.(inside, image);
  const imageId = textOf(image.id);
  const name = nspace === "" ? `${pool}/${imageName}` : text;
  return { name, id: `${poolId}/${nspace}/${imageId}`, poolId, nspace, imageId };
}

/** @throws ModuleError EINVAL for what is not there any more */
export async function levelById(host: ModuleHost, id: string, rules: LevelRules): Promise<Level> {
  const match = /^(?:(\d+)(?:\/([^/]*)(?:\/([^/@]+))?)?)?$/.exec(id);
  if (match === null) throw bad(`failed to parse: ${id}`);
  const [, poolId, nspace, imageId] = match;
  if (poolId === undefined) return GLOBAL_LEVEL;
  const { rados } = await host.rbd();
  const poolName = rados.map.poolNames.get(Number(poolId));
  if (poolName === undefined) throw bad(`pool ${poolId} does not exist`);
  const pool = textOf(poolName);
  const level = { id, poolId, nspace, imageId };
  if (nspace === undefined) return { ...level, name: `${pool}/` };
  // What a user could not name now may still be stored, and wait for the namespace to come back to it.
  const io = await namespaceOf(await rados.openPool(Number(poolId)), nspace);
  const prefix = nspace === "" ? `${pool}/` : `${pool}/${nspace}/`;
  if (imageId === undefined) return { ...level, name: nspace === "" ? `${pool}//` : prefix };
  const image = await openImage(host, io, { id: byteString(imageId) }, imageId);
  await rules.checkImage?.(io, image);
  return { ...level, name: `${prefix}${textOf(image.name)}` };
}

async function poolByName(host: ModuleHost, name: string): Promise<IoCtx> {
  const { rados } = await host.rbd();
  let io: IoCtx;
  try {
    io = await rados.openPool(byteString(name));
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw bad(`pool ${name} does not exist`);
    throw error;
  }
  if (!rbdPools(rados.map).has(io.pool)) throw bad(`${name} is not an RBD pool`);
  return io;
}

async function namespaceOf(io: IoCtx, nspace: string, rules?: LevelRules): Promise<IoCtx> {
  if (nspace === "") return io;
  const name = byteString(nspace);
  if (!(await listNamespaces(io)).includes(name)) throw bad(`namespace ${nspace} does not exist`);
  const inside = io.inNamespace(name);
  await rules?.checkNamespace?.(inside);
  return inside;
}

async function openImage(
  host: ModuleHost,
  io: IoCtx,
  which: { name: string } | { id: string },
  called: string,
): Promise<Image> {
  try {
    const image = await Image.open(await host.rbd(), io, which, { readOnly: true });
    await image.close();
    return image;
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw bad(`image ${called} does not exist`);
    throw error;
  }
}
