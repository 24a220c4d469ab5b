/** The object classes: what the OSD runs, by class name. Argument codecs are imported from their rooms. */

import { lockClass } from "./lock/index.ts";
import type { ObjectClass } from "./objclass.ts";
import { rbdClass } from "./rbd/index.ts";

export {
  type ClassContext,
  type ClassMethod,
  defineClass,
  type MethodFlags,
  method,
  none,
  type ObjectClass,
} from "./objclass.ts";

export const objectClasses: ReadonlyMap<string, ObjectClass> = new Map(
  [lockClass, rbdClass].map((cls) => [cls.name, cls]),
);
