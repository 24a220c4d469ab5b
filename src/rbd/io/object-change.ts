/**
 * Changes of one data object, and the ops and object map states that they mean.
 * ceph: src/librbd/io/ObjectRequest.h AbstractObjectWriteRequest and below
 */

import { OBJECT_STATE } from "../../cls/rbd/types/features.ts";
import {
  type OsdOp,
  opCmpExt,
  opCreate,
  opDelete,
  opTruncate,
  opWrite,
  opWriteFull,
  opZero,
} from "../../messages/index.ts";

/** Offsets and lengths are bytes of the object. */
export type ObjectChange =
  | { readonly type: "write"; readonly offset: number; readonly data: Uint8Array }
  /** Zeros, and no object where nothing but zeros would be left. */
  | {
      readonly type: "discard";
      readonly offset: number;
      readonly length: number;
      /** A whole object goes even where the parent shows through then: past the end nobody looks. */
      readonly showsParent?: boolean;
    }
  /** Writes if what is there is as expected, of the same length. */
  | {
      readonly type: "compareAndWrite";
      readonly offset: number;
      readonly expected: Uint8Array;
      readonly data: Uint8Array;
    };

/** What a change means for an object in a certain situation. */
export interface ObjectPlan {
  readonly ops: readonly OsdOp[];
  /** OBJECT_STATE that the map has to have before the object is touched. */
  readonly before: number;
  /** The object is gone afterwards. */
  readonly removes: boolean;
  /** There is nothing to do if there is no object and no parent either. */
  readonly needsObject: boolean;
  /** Must not happen in one request with the copy of what the parent shows. */
  readonly afterCopyup: boolean;
  /** Would the object need what the parent shows, if it is not there yet? */
  readonly needsCopyup: boolean;
  /** Bytes that are overwritten, whatever they were; undefined: none for sure. */
  readonly overwrites: { readonly offset: number; readonly length: number } | undefined;
}

export interface Situation {
  readonly objectSize: number;
  /** The head shows the parent here. */
  readonly hasParent: boolean;
  readonly hasSnapshots: boolean;
}

export function planChange(change: ObjectChange, at: Situation): ObjectPlan {
  const { objectSize, hasParent, hasSnapshots } = at;
  const { EXISTS, PENDING } = OBJECT_STATE;
  const { offset } = change;
  const length = change.type === "discard" ? change.length : change.data.length;
  const isWhole = offset === 0 && length === objectSize;
  const common = { before: EXISTS, removes: false, needsObject: false, afterCopyup: false };
  // Snapshots would lose what the parent shows; a whole object without any hides all of it.
  const needsCopyup = hasParent && !(isWhole && !hasSnapshots);
  const overwrites = { offset, length };
  switch (change.type) {
    case "write": {
      const ops = [isWhole ? opWriteFull(change.data) : opWrite(offset, change.data)];
      return { ...common, ops, needsCopyup, overwrites };
    }
    case "compareAndWrite": {
      const { expected, data } = change;
      const write = isWhole ? opWriteFull(data) : opWrite(offset, data);
      const ops = [opCmpExt(offset, expected), write];
      // The comparison would not see what is copied in the same request.
      const wants = { afterCopyup: true, needsCopyup: hasParent, overwrites: undefined };
      return { ...common, ops, ...wants };
    }
    case "discard": {
      const plan = { ...common, needsObject: !hasParent, needsCopyup, overwrites };
      if (isWhole && (!hasParent || change.showsParent === true)) {
        return { ...plan, ops: [opDelete()], before: PENDING, removes: true };
      }
      // An empty object hides the parent.
      if (isWhole && !needsCopyup) return { ...plan, ops: [opCreate(false), opTruncate(0)] };
      const toEnd = offset + length === objectSize;
      return { ...plan, ops: [toEnd ? opTruncate(offset) : opZero(offset, length)] };
    }
  }
}
