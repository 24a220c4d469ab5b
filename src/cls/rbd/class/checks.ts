/** What several methods check first. ceph: src/cls/rbd/cls_rbd.cc */

import { fail, type Result } from "../../../base/index.ts";
import type { ClassContext } from "../../objclass.ts";

/** ENOENT unless the object is there. */
export function checkExists(context: ClassContext): Result<void> {
  if (!context.exists()) return fail("ENOENT");
}

/** Image and group ids, which become parts of object names: letters and digits only. */
export function isValidId(id: string): boolean {
  return /^[0-9A-Za-z]+$/.test(id);
}
