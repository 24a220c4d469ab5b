/** What an image shows where it has no object of its own: a snapshot of its parent, or a migration's source. */

import { NOSNAP, type SnapId } from "../types/index.ts";
import type { ImageRef } from "./find-image.ts";
import type { HeaderState } from "./header.ts";
import type { Shown, ShownSpec } from "./migration/source.ts";

/** The image that a revision is of. */
export function refOf({ imageId, format1 }: ShownSpec): ImageRef {
  return format1 === undefined ? { id: imageId } : { format1 };
}

type ShowingImage = Pick<HeaderState, "parent" | "snapshots" | "migration">;

/** @param snap NOSNAP: the head @returns undefined: nothing */
export function shownAt(image: ShowingImage, snap: SnapId): Shown | undefined {
  const { migration, parent, snapshots } = image;
  if (migration !== undefined) return migration.shown.get(snap);
  const overlap =
    snap === NOSNAP ? parent?.overlap : snapshots.find(({ id }) => id === snap)?.parentOverlap;
  return parent === undefined || overlap === undefined ? undefined : { spec: parent.spec, overlap };
}

/** Bytes, from the start, in which a change of the head first has to copy what is shown. */
export function copyupOverlap({ migration, parent }: ShowingImage): number {
  return migration?.overlap ?? parent?.overlap ?? 0;
}
