/**
 * Making a migration's destination smaller: what lies past its end is not to come back from the source when it
 * grows again. Upstream lets it.
 */

import { MigrationSpec } from "../../cls/rbd/types.ts";
import { callOp } from "../../rados/index.ts";
import { HEADER } from "../calls.ts";
import { changeHeaderValue } from "../header-value.ts";
import type { Image } from "../image.ts";

/** ceph: src/cls/rbd/cls_rbd.cc image::set_migration */
const VALUE = { key: "migration", codec: MigrationSpec };

/** Sets the size in the header, and in one step how much the source shows. @param size bytes */
export async function setSize(image: Image, size: number): Promise<void> {
  const { io, headerOid, format, migration } = image;
  if (migration === undefined) return await format.setSize(io, headerOid, size);
  const resize = [callOp(HEADER.setSize, { size })];
  const shrink = (spec: MigrationSpec) =>
    spec.overlap > size ? { ...spec, overlap: size } : undefined;
  await changeHeaderValue(io, headerOid, VALUE, shrink, resize);
}
