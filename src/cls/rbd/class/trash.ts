/**
 * The trash: deleted images by id, in the rbd_trash object.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { type Infer, str } from "../../../encoding/index.ts";
import { rest } from "../../argument.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, listValues, readKey, writeKey } from "../../omap.ts";
import { PageArgs, TrashAddArgs, TrashListReply, TrashStateSetArgs } from "../ops/directory.ts";
import { TrashImageSpec } from "../types.ts";
import { isValidId } from "./checks.ts";

const PREFIX = "id_";

export const trashMethods = {
  trash_add: method("rw", TrashAddArgs, none, add, (context) => context.create(false)),
  trash_remove: method("rw", str, none, remove),
  trash_list: method("r", PageArgs, TrashListReply, list),
  /** The entry as stored. ENOENT: not in the trash. */
  trash_get: method("r", str, rest, (context, id) => context.omapGet(PREFIX + id)),
  trash_state_set: method("rw", TrashStateSetArgs, none, setState),
} satisfies Record<string, ClassMethod>;

/** Makes the trash too. EINVAL: a bad id; EEXIST: in the trash already. */
function add(context: ClassContext, { id, spec }: Infer<typeof TrashAddArgs>): Result<void> {
  if (!isValidId(id)) return fail("EINVAL");
  const old = readKey(context, PREFIX + id, TrashImageSpec);
  if (!isFailure(old)) return fail("EEXIST");
  if (!isMissing(old)) return old;
  return writeKey(context, PREFIX + id, TrashImageSpec, spec);
}

/** ENOENT: not in the trash. */
function remove(context: ClassContext, id: string): Result<void> {
  const old = context.omapGet(PREFIX + id);
  return isFailure(old) ? old : context.omapRemove([PREFIX + id]);
}

function list(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Map<string, TrashImageSpec>> {
  const entries = listValues(context, TrashImageSpec, { prefix: PREFIX, after, max });
  return isFailure(entries) ? entries : new Map(entries);
}

/** From the expected state to the wanted one. ENOENT: not in the trash; ESTALE: in neither state. */
function setState(
  context: ClassContext,
  { id, state, expected }: Infer<typeof TrashStateSetArgs>,
): Result<void> {
  const spec = readKey(context, PREFIX + id, TrashImageSpec);
  if (isFailure(spec)) return spec;
  if (spec.state === expected) {
    return writeKey(context, PREFIX + id, TrashImageSpec, { ...spec, state });
  }
  if (spec.state !== state) return fail("ESTALE");
}
