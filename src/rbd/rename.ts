/** Giving an image another name. ceph: src/librbd/operation/RenameRequest.cc */

import { encodeToBytes, str } from "../encoding/index.ts";
import { opCreate, opWriteFull } from "../messages/index.ts";
import { DIRECTORY } from "./calls.ts";
import { unless } from "./errors.ts";
import type { Image } from "./image.ts";
import { idObjectName, RBD_DIRECTORY } from "./names.ts";

/** @throws CephError EEXIST: there is an image of that name */
export async function renameLocked(image: Image, name: string): Promise<void> {
  const { io, id, name: before } = image;
  const ops = [opCreate(true), opWriteFull(encodeToBytes(str, id))];
  await io.write(idObjectName(name), ops);
  try {
    const args = { source: before, destination: name, id };
    await io.execute(RBD_DIRECTORY, DIRECTORY.rename, args);
  } catch (error) {
    await unless(io.remove(idObjectName(name)), "ENOENT");
    throw error;
  }
  await unless(io.remove(idObjectName(before)), "ENOENT");
  image.name = name;
}
