/** Snapshots in the order they were made in; NOSNAP comes last. */

import type { SnapId } from "../../types/index.ts";

export function compareSnapIds(a: SnapId, b: SnapId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
