/**
 * What a journal keeps in its header object, and sends as it lies there.
 *
 * A position names an entry: the tag under which it was written, its number within the tag, and the data
 * object that holds it. The newest position of each of the data objects in use makes a commit position,
 * newest first.
 * ceph: src/cls/journal/cls_journal_types.h
 */

import { blob, type Infer, list, str, struct, u8, u64 } from "../../encoding/index.ts";

export const ObjectPosition = struct(
  "cls::journal::ObjectPosition",
  { v: 1 },
  { objectNumber: u64, tagTid: u64, entryTid: u64 },
);
export type ObjectPosition = Infer<typeof ObjectPosition>;

export const ObjectSetPosition = struct(
  "cls::journal::ObjectSetPosition",
  { v: 1 },
  { objectPositions: list(ObjectPosition) },
);
export type ObjectSetPosition = Infer<typeof ObjectSetPosition>;

/** A disconnected client keeps its place but no longer holds back the pruning. */
export const CLIENT_STATE = { CONNECTED: 0, DISCONNECTED: 1 } as const;

export const Client = struct(
  "cls::journal::Client",
  { v: 1 },
  { id: str, data: blob, commitPosition: ObjectSetPosition, state: u8 },
);
export type Client = Infer<typeof Client>;

export const Tag = struct("cls::journal::Tag", { v: 1 }, { tid: u64, tagClass: u64, data: blob });
export type Tag = Infer<typeof Tag>;

/** Asks tag_create for a class of its own. */
export const TAG_CLASS_NEW = 0xffff_ffff_ffff_ffffn;

export function samePosition(a: ObjectSetPosition, b: ObjectSetPosition): boolean {
  const [left, right] = [a.objectPositions, b.objectPositions];
  return (
    left.length === right.length &&
    left.every((x, i) => {
      const y = right[i];
      return (
        y !== undefined &&
        x.objectNumber === y.objectNumber &&
        x.tagTid === y.tagTid &&
        x.entryTid === y.entryTid
      );
    })
  );
}
