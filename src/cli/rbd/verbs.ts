/** The table of verbs: one row each, by family. */

import { benchVerbs } from "./bench.ts";
import { configVerbs } from "./config.ts";
import { copyVerbs } from "./copies.ts";
import { exportVerbs } from "./export.ts";
import { featureVerbs } from "./features.ts";
import { groupVerbs } from "./groups.ts";
import { imageVerbs } from "./images.ts";
import { importVerbs } from "./import.ts";
import { infoVerbs } from "./info.ts";
import { listVerbs } from "./list.ts";
import { lockVerbs } from "./locks.ts";
import { mergeVerbs } from "./merge-diff.ts";
import { metadataVerbs } from "./metadata.ts";
import { migrationVerbs } from "./migration.ts";
import { mirrorImageVerbs } from "./mirror-image.ts";
import { mirrorPoolVerbs } from "./mirror-pool.ts";
import { mirrorScheduleVerbs } from "./mirror-schedule.ts";
import { missingVerbs } from "./not-supported.ts";
import { poolVerbs } from "./pools.ts";
import { snapshotVerbs } from "./snapshots.ts";
import { trashVerbs } from "./trash.ts";
import { trashScheduleVerbs } from "./trash-schedule.ts";
import { usageVerbs } from "./usage.ts";
import type { Verb } from "./verb.ts";
import { watchVerbs } from "./watch.ts";

export const VERBS: readonly Verb[] = [
  ...imageVerbs,
  ...listVerbs,
  ...infoVerbs,
  ...usageVerbs,
  ...snapshotVerbs,
  ...copyVerbs,
  ...exportVerbs,
  ...importVerbs,
  ...mergeVerbs,
  ...trashVerbs,
  ...trashScheduleVerbs,
  ...featureVerbs,
  ...lockVerbs,
  ...metadataVerbs,
  ...configVerbs,
  ...poolVerbs,
  ...groupVerbs,
  ...watchVerbs,
  ...benchVerbs,
  ...migrationVerbs,
  ...mirrorPoolVerbs,
  ...mirrorImageVerbs,
  ...mirrorScheduleVerbs,
  ...missingVerbs,
];
