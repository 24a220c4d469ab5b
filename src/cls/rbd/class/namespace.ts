/**
 * The namespaces of a pool, as empty keys of the rbd_namespace object.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { EMPTY, type Infer, str } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, listKeys } from "../../omap.ts";
import { NamespaceListReply, PageArgs } from "../ops/directory.ts";

const PREFIX = "name_";

export const namespaceMethods = {
  namespace_add: method("rw", str, none, add),
  namespace_remove: method("rw", str, none, remove),
  namespace_list: method("r", PageArgs, NamespaceListReply, list),
} satisfies Record<string, ClassMethod>;

/** EEXIST: it is there. */
function add(context: ClassContext, name: string): Result<void> {
  const old = context.omapGet(PREFIX + name);
  if (!isFailure(old)) return fail("EEXIST");
  return isMissing(old) ? context.omapSet([[PREFIX + name, EMPTY]]) : old;
}

/** ENOENT: it is not. */
function remove(context: ClassContext, name: string): Result<void> {
  const old = context.omapGet(PREFIX + name);
  return isFailure(old) ? old : context.omapRemove([PREFIX + name]);
}

function list(
  context: ClassContext,
  { startAfter, maxReturn }: Infer<typeof PageArgs>,
): Result<string[]> {
  const entries = listKeys(context, PREFIX, PREFIX + startAfter, maxReturn);
  return isFailure(entries) ? entries : entries.map(([key]) => key.slice(PREFIX.length));
}
