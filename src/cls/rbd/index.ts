/**
 * The rbd class: all methods by wire name.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { defineClass } from "../objclass.ts";
import { dataPathMethods } from "./class/data-path.ts";
import { directoryMethods, groupDirectoryMethods } from "./class/directory.ts";
import { format1Methods } from "./class/format1.ts";
import { groupMethods } from "./class/group.ts";
import { imageMethods } from "./class/image.ts";
import { metadataMethods } from "./class/metadata.ts";
import { migrationMethods } from "./class/migration.ts";
import { mirrorMethods } from "./class/mirror.ts";
import { mirrorStatusMethods } from "./class/mirror-status.ts";
import { namespaceMethods } from "./class/namespace.ts";
import { objectMapMethods } from "./class/object-map.ts";
import { parentChildMethods } from "./class/parent-child.ts";
import { snapshotMethods } from "./class/snapshot.ts";
import { trashMethods } from "./class/trash.ts";

export const rbdClass = defineClass("rbd", {
  ...imageMethods,
  ...snapshotMethods,
  ...parentChildMethods,
  ...metadataMethods,
  ...directoryMethods,
  ...objectMapMethods,
  ...dataPathMethods,
  ...migrationMethods,
  ...trashMethods,
  ...namespaceMethods,
  ...groupDirectoryMethods,
  ...groupMethods,
  ...mirrorMethods,
  ...mirrorStatusMethods,
  ...format1Methods,
});
