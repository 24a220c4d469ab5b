/**
 * Arguments and answers of the directories: images, groups, trash, namespaces, and image metadata.
 * ceph: src/cls/rbd/cls_rbd_client.cc
 */

import { blob, list, map, record, str, u8, u64 } from "../../../encoding/index.ts";
import { TrashImageSpec } from "../types.ts";

/** A page of a listing: what comes after a key, at most so many. */
export const PageArgs = record("page", { startAfter: str, maxReturn: u64 });
export const NameIdArgs = record("name and id", { name: str, id: str });
export const RenameArgs = record("rename", { source: str, destination: str, id: str });
/** Names to ids. */
export const DirListReply = map(str, str);
export const MetadataEntries = map(str, blob);
export const TrashAddArgs = record("trash_add", { id: str, spec: TrashImageSpec });
export const TrashListReply = map(str, TrashImageSpec);
export const TrashStateSetArgs = record("trash_state_set", { id: str, state: u8, expected: u8 });
export const NamespaceListReply = list(str);
