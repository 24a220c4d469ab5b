/** Arguments of the object map methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { optional, record, u8, u64 } from "../../../encoding/index.ts";

export const ObjectMapResizeArgs = record("object_map_resize", {
  objectCount: u64,
  defaultState: u8,
});
export const ObjectMapUpdateArgs = record("object_map_update", {
  start: u64,
  /** One past the last. */
  end: u64,
  newState: u8,
  /** Change only objects in this state (EXISTS also means EXISTS_CLEAN); undefined: all. */
  currentState: optional(u8),
});
