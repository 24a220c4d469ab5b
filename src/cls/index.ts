/** The object classes: what the OSD runs, by class name. Argument codecs are imported from their rooms. */

import { helloClass } from "./hello/index.ts";
import { journalClass } from "./journal/index.ts";
import { lockClass } from "./lock/index.ts";
import { logClass } from "./log/index.ts";
import { numopsClass } from "./numops/index.ts";
import type { ObjectClass } from "./objclass.ts";
import { rbdClass } from "./rbd/index.ts";
import { refcountClass } from "./refcount/index.ts";
import { timeindexClass } from "./timeindex/index.ts";
import { userClass } from "./user/index.ts";
import { versionClass } from "./version/index.ts";

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
  [
    helloClass,
    journalClass,
    lockClass,
    logClass,
    numopsClass,
    rbdClass,
    refcountClass,
    timeindexClass,
    userClass,
    versionClass,
  ].map((cls) => [cls.name, cls]),
);
