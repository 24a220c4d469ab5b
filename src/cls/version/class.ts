/**
 * The version class: a counter with a tag in an attribute, and conditions on it that a client puts before
 * its other operations.
 * ceph: src/cls/version/cls_version.cc, cls_version_types.h, cls_version_ops.h
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import {
  DecodeError,
  decodeFromBytes,
  encodeToBytes,
  type Infer,
  list,
  str,
  struct,
  u32,
  u64,
} from "../../encoding/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";

const ObjVersion = struct("obj_version", { v: 1 }, { ver: u64, tag: str });
type ObjVersion = Infer<typeof ObjVersion>;
const Condition = struct("obj_version_cond", { v: 1 }, { version: ObjVersion, condition: u32 });
const VersionSetArgs = struct("cls_version_set_op", { v: 1 }, { version: ObjVersion });
/** The version here is not looked at. */
const VersionCheckArgs = struct(
  "cls_version_check_op",
  { v: 1 },
  { version: ObjVersion, conditions: list(Condition) },
);
const VersionReadReply = struct("cls_version_read_ret", { v: 1 }, { version: ObjVersion });

const VERSION_CONDITION = {
  NONE: 0,
  EQ: 1,
  GT: 2,
  GE: 3,
  LT: 4,
  LE: 5,
  TAG_EQ: 6,
  TAG_NE: 7,
} as const;

export const versionClass = defineClass("version", {
  set: method("rw", VersionSetArgs, none, (context, args) => write(context, args.version)),
  inc: method("rw", VersionCheckArgs, none, increment),
  inc_conds: method("rw", VersionCheckArgs, none, increment),
  read: method("r", none, VersionReadReply, (context) => {
    const version = read(context);
    return isFailure(version) ? version : { version: version ?? { ver: 0n, tag: "" } };
  }),
  check_conds: method("r", VersionCheckArgs, none, check),
});

const ATTR = "ceph.objclass.version";
const TAG_BYTES = 18; // 24 characters of base64

/** Undefined if the object has none; EIO if what it has does not decode. */
function read(context: ClassContext): Result<ObjVersion | undefined> {
  const bytes = context.getXattr(ATTR);
  if (isFailure(bytes)) {
    const unset = bytes.errno === fail("ENOENT").errno || bytes.errno === fail("ENODATA").errno;
    return unset ? undefined : bytes;
  }
  try {
    return decodeFromBytes(ObjVersion, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return fail("EIO");
    throw error;
  }
}

function write(context: ClassContext, version: ObjVersion): Result<void> {
  return context.setXattr(ATTR, encodeToBytes(ObjVersion, version));
}

function holds({ version, condition }: Infer<typeof Condition>, now: ObjVersion): boolean {
  switch (condition) {
    case VERSION_CONDITION.EQ:
      return now.ver === version.ver && now.tag === version.tag;
    case VERSION_CONDITION.GT:
      return now.ver > version.ver;
    case VERSION_CONDITION.GE:
      return now.ver >= version.ver;
    case VERSION_CONDITION.LT:
      return now.ver < version.ver;
    case VERSION_CONDITION.LE:
      return now.ver <= version.ver;
    case VERSION_CONDITION.TAG_EQ:
      return now.tag === version.tag;
    case VERSION_CONDITION.TAG_NE:
      return now.tag !== version.tag;
    default:
      return true; // compat: no condition, or one of a future release
  }
}

/** ECANCELED: a condition does not hold. */
function check(context: ClassContext, args: Infer<typeof VersionCheckArgs>): Result<void> {
  const version = read(context);
  if (isFailure(version)) return version;
  const now = version ?? { ver: 0n, tag: "" };
  if (!args.conditions.every((c) => holds(c, now))) return fail("ECANCELED");
}

/** One more, after the conditions; an object without a version starts at 1 with a random tag. */
function increment(context: ClassContext, args: Infer<typeof VersionCheckArgs>): Result<void> {
  const version = read(context);
  if (isFailure(version)) return version;
  const tag = () => Buffer.from(context.random(TAG_BYTES)).toString("base64");
  const now = version ?? { ver: 1n, tag: tag() };
  if (version === undefined) {
    // compat: the version begins even if a condition fails, where the request may go on without this call.
    const begun = write(context, now);
    if (isFailure(begun)) return begun;
  }
  if (!args.conditions.every((c) => holds(c, now))) return fail("ECANCELED");
  return write(context, { ...now, ver: BigInt.asUintN(64, now.ver + 1n) });
}
