/** The rbd room: images, on the rados room. */
export { isErrno } from "./errors.ts";
export { flattenImage } from "./flatten.ts";
export { Image, type RbdContext } from "./image.ts";
export { listNamespaces } from "./namespaces.ts";
export { noProgress, type Progress } from "./progress.ts";
export { removeImage } from "./remove.ts";
export { getTrash, listTrash, purgeTrash, removeTrash } from "./trash.ts";
