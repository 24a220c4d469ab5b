/**
 * Creating an image of format 1: name in the directory -> header. What fails takes the name back.
 * ceph: src/librbd/internal.cc create_v1, init_rbd_header
 */

import { randomU32 } from "../base/index.ts";
import { encodeFormat1Header } from "../cls/rbd/types/format1.ts";
import { opCreate, opWriteFull } from "../messages/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { type CreateOptions, checkedOrder, checkFree } from "./create.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { changeFormat1Directory } from "./format1-directory.ts";
import type { RbdContext } from "./image.ts";
import { oldHeaderName } from "./names.ts";
import { validatePool } from "./pool.ts";

/**
 * @param size bytes
 * @throws CephError EEXIST: there is one of the name; EDOM: order; EINVAL: in a namespace, or the pool can not have
 *   images
 */
export async function createFormat1Image(
  { rados, random }: RbdContext,
  io: IoCtx,
  name: string,
  size: number,
  options: Pick<CreateOptions, "order" | "validatePool"> = {},
): Promise<void> {
  await checkFree(io, name);
  const order = checkedOrder(name, options.order);
  if (options.validatePool !== false) await validatePool(io);
  if (io.nspace !== "") {
    throw imageError("EINVAL", "create", name, "no image of format 1 in a namespace");
  }
  const [high, low] = [rados.globalId >> 32n, rados.globalId & 0xffff_ffffn];
  const parts = [high, low, randomU32(random)].map((part) => part.toString(16));
  const header = encodeFormat1Header({ objectPrefix: `rb.${parts.join(".")}`, order, size });
  await changeFormat1Directory(io, { add: name });
  try {
    await io.write(oldHeaderName(name), [opCreate(true), opWriteFull(header)]);
  } catch (error) {
    // Another's, who has made one of the name meanwhile: so is the name.
    if (!isErrno(error, "EEXIST"))
      await unless(changeFormat1Directory(io, { remove: name }), "ENOENT");
    throw error;
  }
}
