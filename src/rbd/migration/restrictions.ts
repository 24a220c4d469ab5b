/** What a step of a migration does not go with. */

import { MIRROR_MODE } from "../../cls/rbd/types/features.ts";
import type { MigrationSpec } from "../../cls/rbd/types.ts";
import { imageError } from "../errors.ts";
import type { Image } from "../image.ts";
import { mirrorMode } from "../mirror/primary-snapshot.ts";
import type { MigrationEnd } from "./ends.ts";

/**
 * Would upstream enable mirroring at the end of which we are not able to? Asked before anything is changed.
 * @throws CephError EOPNOTSUPP
 * ceph: src/librbd/api/Migration.cc enable_mirroring
 */
export async function checkMirroring(end: MigrationEnd, spec: MigrationSpec): Promise<void> {
  const mode = await mirrorMode(end.io);
  if (mode === MIRROR_MODE.DISABLED) return;
  if (mode === MIRROR_MODE.IMAGE && !spec.mirroring) return;
  throw imageError("EOPNOTSUPP", "end the migration of", end.name, "it is to be mirrored");
}

/**
 * Only what a user took can be copied and given up.
 * @throws CephError EBUSY
 * ceph: src/librbd/api/Migration.cc list_src_snaps
 */
export function checkSnapshots(image: Image): void {
  if (image.snapshots.every(({ namespace }) => namespace.type === "user")) return;
  throw imageError("EBUSY", "end the migration of", image.name, "snapshots that no user took");
}
