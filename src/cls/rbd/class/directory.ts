/**
 * Directories that map names to ids and back: rbd_directory for images, rbd_group_directory for groups.
 *
 * The keys name_<name> and id_<id> are always written and removed together.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { encodeToBytes, type Infer, str, u8 } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, listKeys, listValues, readKey, writeKey } from "../../omap.ts";
import { DirListReply, NameIdArgs, PageArgs, RenameArgs } from "../ops/directory.ts";
import { DIRECTORY_STATE } from "../types/features.ts";
import { isValidId } from "./checks.ts";

const NAME_PREFIX = "name_";
const ID_PREFIX = "id_";
const STATE = "state";

export const directoryMethods = {
  dir_get_id: method("r", str, str, (context, name) => readKey(context, NAME_PREFIX + name, str)),
  dir_get_name: method("r", str, str, (context, id) => readKey(context, ID_PREFIX + id, str)),
  dir_list: method("r", PageArgs, DirListReply, listDirectory),
  dir_add_image: method(
    "rw",
    NameIdArgs,
    none,
    (context, { name, id }) => add(context, name, id, true),
    (context) => context.create(false),
  ),
  dir_remove_image: method("rw", NameIdArgs, none, (context, { name, id }) =>
    remove(context, name, id),
  ),
  dir_rename_image: method("rw", RenameArgs, none, renameInDirectory),
  dir_state_assert: method("r", u8, none, assertState),
  dir_state_set: method("rw", u8, none, setState),
} satisfies Record<string, ClassMethod>;

/** The same directory, for groups. */
export const groupDirectoryMethods = {
  group_dir_list: directoryMethods.dir_list,
  group_dir_add: directoryMethods.dir_add_image,
  group_dir_remove: directoryMethods.dir_remove_image,
  group_dir_rename: directoryMethods.dir_rename_image,
} satisfies Record<string, ClassMethod>;

function listDirectory(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Map<string, string>> {
  const entries = listValues(context, str, { prefix: NAME_PREFIX, after, max });
  return isFailure(entries) ? entries : new Map(entries);
}

/** Makes the directory too. EINVAL: no name, a bad id; EEXIST: the name is taken; EBADF: the id is. */
function add(context: ClassContext, name: string, id: string, uniqueId: boolean): Result<void> {
  if (name === "" || !isValidId(id)) return fail("EINVAL");
  if (!isMissing(context.omapGet(NAME_PREFIX + name))) return fail("EEXIST");
  if (uniqueId && !isMissing(context.omapGet(ID_PREFIX + id))) return fail("EBADF");
  return context.omapSet([
    [NAME_PREFIX + name, encodeToBytes(str, id)],
    [ID_PREFIX + id, encodeToBytes(str, name)],
  ]);
}

/** ENOENT: name or id unknown; ESTALE: they do not belong together (a rename came first). */
function remove(context: ClassContext, name: string, id: string): Result<void> {
  const storedId = readKey(context, NAME_PREFIX + name, str);
  if (isFailure(storedId)) return storedId;
  const storedName = readKey(context, ID_PREFIX + id, str);
  if (isFailure(storedName)) return storedName;
  if (storedName !== name || storedId !== id) return fail("ESTALE");
  return context.omapRemove([NAME_PREFIX + name, ID_PREFIX + id]);
}

/** As remove and add; the id stays, and its removal is not visible to the second half yet. */
function renameInDirectory(
  context: ClassContext,
  { source, destination, id }: Infer<typeof RenameArgs>,
): Result<void> {
  const removed = remove(context, source, id);
  return isFailure(removed) ? removed : add(context, destination, id, false);
}

/** ENOENT: another state, or none set. */
function assertState(context: ClassContext, state: number): Result<void> {
  const stored = readKey(context, STATE, u8);
  if (isFailure(stored)) return stored;
  if (stored !== state) return fail("ENOENT");
}

/** EINVAL: no such state; only an empty directory can be closed: EBUSY, ENOENT if there is none. */
function setState(context: ClassContext, state: number): Result<void> {
  if (state === DIRECTORY_STATE.ADD_DISABLED) {
    if (!context.exists()) return fail("ENOENT");
    const names = listKeys(context, NAME_PREFIX, NAME_PREFIX, 1);
    if (isFailure(names)) return names;
    if (names.length > 0) return fail("EBUSY");
  } else if (state !== DIRECTORY_STATE.READY) {
    return fail("EINVAL");
  }
  return writeKey(context, STATE, u8, state);
}
