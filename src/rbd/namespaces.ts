/** The namespaces that images of a pool may be in. ceph: src/librbd/api/Namespace.cc */

import { DIRECTORY_STATE } from "../cls/rbd/types/features.ts";
import { opDelete } from "../messages/index.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { DIRECTORY } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import {
  RBD_CHILDREN,
  RBD_DIRECTORY,
  RBD_GROUP_DIRECTORY,
  RBD_INFO,
  RBD_MIRRORING,
  RBD_NAMESPACE,
  RBD_TASK,
  RBD_TRASH,
} from "./names.ts";
import { listTrash } from "./trash.ts";

const PAGE = 1024;
/** What a namespace may have besides images.  ceph: POOL_OBJECTS */
const OBJECTS = [
  RBD_CHILDREN,
  RBD_GROUP_DIRECTORY,
  RBD_INFO,
  RBD_MIRRORING,
  RBD_TASK,
  RBD_TRASH,
  RBD_DIRECTORY,
];

/** Without the default one. */
export async function listNamespaces(io: IoCtx): Promise<string[]> {
  const all: string[] = [];
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const call = io.inNamespace("").query(RBD_NAMESPACE, DIRECTORY.listNamespaces, args);
    const page = await unless(call, "ENOENT");
    if (page !== undefined) all.push(...page);
    if (page === undefined || page.length < PAGE) return all;
    startAfter = page.at(-1) ?? "";
  }
}

/** @throws CephError EEXIST; EINVAL: the default one needs not be made */
export async function createNamespace(io: IoCtx, name: string): Promise<void> {
  if (name === "") throw imageError("EINVAL", "create the namespace", name);
  const root = io.inNamespace("");
  await root.execute(RBD_NAMESPACE, DIRECTORY.addNamespace, name);
  try {
    const { READY } = DIRECTORY_STATE;
    await io.inNamespace(name).execute(RBD_DIRECTORY, DIRECTORY.setState, READY);
  } catch (error) {
    await root.execute(RBD_NAMESPACE, DIRECTORY.removeNamespace, name);
    throw error;
  }
}

/** @throws CephError ENOENT; EBUSY: it has images, or has some in the trash */
export async function removeNamespace(io: IoCtx, name: string): Promise<void> {
  const refuse = (code: "EINVAL" | "EBUSY") => imageError(code, "remove the namespace", name);
  if (name === "") throw refuse("EINVAL");
  const inside = io.inNamespace(name);
  const { READY, ADD_DISABLED } = DIRECTORY_STATE;
  const restore = () => inside.execute(RBD_DIRECTORY, DIRECTORY.setState, READY);
  try {
    // The class refuses where there is an image; from now on none can come.
    const disable = callOp(DIRECTORY.setState, ADD_DISABLED);
    await unless(inside.write(RBD_DIRECTORY, [disable, opDelete()]), "ENOENT");
  } catch (error) {
    if (!isErrno(error, "EBUSY")) throw error;
    await restore();
    throw refuse("EBUSY");
  }
  if ((await listTrash(inside)).size > 0) {
    await restore();
    throw refuse("EBUSY");
  }
  for (const oid of OBJECTS) await unless(inside.remove(oid), "ENOENT");
  await io.inNamespace("").execute(RBD_NAMESPACE, DIRECTORY.removeNamespace, name);
}

/** May images be made in it? */
export async function namespaceExists(io: IoCtx, name: string): Promise<boolean> {
  if (name === "") return true;
  const { READY } = DIRECTORY_STATE;
  const ready = [callOp(DIRECTORY.assertState, READY)];
  return (await unless(io.inNamespace(name).read(RBD_DIRECTORY, ready), "ENOENT")) !== undefined;
}
