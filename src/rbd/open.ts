/** Opening an image to use it: it also does what others ask the lock's owner for. */

import type { IoCtx } from "../rados/index.ts";
import { Image, type RbdContext } from "./image.ts";
import { OwnerService } from "./owner-service.ts";

/**
 * @param options.readOnly is not told of changes, needs no lock, and can not be written to @default false
 * @throws CephError ENOENT: no such image; ENOSYS: of a newer release
 */
export async function openImage(
  context: RbdContext,
  io: IoCtx,
  which: { readonly name: string } | { readonly id: string },
  options: { readonly readOnly?: boolean } = {},
): Promise<Image> {
  const image = await Image.open(context, io, which, options);
  image.ownerRequests = new OwnerService(image);
  return image;
}
