/** Finding an image's header by what users call it. ceph: src/librbd/image/OpenRequest.cc */

import type { IoCtx } from "../rados/index.ts";
import { DIRECTORY, TRASH } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import { readFixed1 } from "./format1.ts";
import { readFixed2 } from "./format2.ts";
import type { FixedHeader } from "./header.ts";
import { idObjectName, RBD_DIRECTORY, RBD_TRASH } from "./names.ts";

/** An image, by its name, whichever format it has; by its id; or by the name of one of format 1, which has no id. */
export type ImageRef =
  | { readonly name: string }
  | { readonly id: string }
  | { readonly format1: string };

/**
 * What never changes in its header.
 * @throws CephError ENOENT: no such image; EIO, ENXIO: what is in place of a header of format 1 is none
 */
export async function findImage(io: IoCtx, which: ImageRef): Promise<FixedHeader> {
  if ("id" in which) return await readFixed2(io, which.id, await nameOfId(io, which.id));
  const name = "name" in which ? which.name : which.format1;
  const id = "name" in which ? await findId(io, name) : undefined;
  if (id !== undefined) return await readFixed2(io, id, name);
  const old = await readFixed1(io, name);
  if (old === undefined) throw imageError("ENOENT", "open", name);
  return old;
}

/** @throws CephError ENOENT: no such image; EOPNOTSUPP: of format 1, which have none */
export async function idOfName(io: IoCtx, name: string): Promise<string> {
  const id = await findId(io, name);
  if (id !== undefined) return id;
  const old = await readFixed1(io, name);
  throw imageError(old === undefined ? "ENOENT" : "EOPNOTSUPP", "find the id of", name);
}

async function findId(io: IoCtx, name: string): Promise<string | undefined> {
  return await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
}

/** An image in the trash, or half removed, has its name elsewhere, or none: "". */
async function nameOfId(io: IoCtx, id: string): Promise<string> {
  return (
    (await unless(io.query(RBD_DIRECTORY, DIRECTORY.nameOfId, id), "ENOENT")) ??
    (await unless(io.query(RBD_TRASH, TRASH.get, id), "ENOENT", "EOPNOTSUPP"))?.name ??
    ""
  );
}
