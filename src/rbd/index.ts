/** The rbd room: images, on the rados room. */
export { listImages } from "./directory.ts";
export { isErrno } from "./errors.ts";
export { flattenImage } from "./flatten.ts";
export {
  Image,
  type ImageParent,
  type ImageSnapshot,
  type Quiescer,
  type RbdContext,
} from "./image.ts";
export { CompareMismatch, ImageIo, type ImageIoOptions } from "./io/image-io.ts";
export { abortMigration } from "./migration/abort.ts";
export { commitMigration } from "./migration/commit.ts";
export {
  findMigration,
  isExecutable,
  isExecuted,
  type Migration,
  type MigrationEnd,
} from "./migration/ends.ts";
export { executeMigration } from "./migration/execute.ts";
export {
  createMirrorSnapshot,
  isMirroredBySnapshots,
  listPrimaries,
  mirrorMode,
} from "./mirror/primary-snapshot.ts";
export { listNamespaces } from "./namespaces.ts";
export { noProgress, type Progress } from "./progress.ts";
export { removeImage } from "./remove.ts";
export { getTrash, listTrash, purgeTrash, removeTrash } from "./trash.ts";
