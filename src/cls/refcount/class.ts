/**
 * The refcount class: tagged references in an attribute; the object goes with the last one.
 *
 * An object that was never referenced may count as holding one wildcard reference, if the caller says so.
 * A tag that was put once stays retired, so that a repeated put drops nothing else.
 * ceph: src/cls/refcount/cls_refcount.cc, cls_refcount_ops.h
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import {
  bool,
  DecodeError,
  decodeFromBytes,
  encodeToBytes,
  type Infer,
  list,
  map,
  naturalOrder,
  set,
  since,
  str,
  struct,
} from "../../encoding/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";

const RefArgs = struct("cls_refcount_get_op", { v: 1 }, { tag: str, implicitRef: bool });
const RefSetArgs = struct("cls_refcount_set_op", { v: 1 }, { refs: list(str) });
const RefReadArgs = struct("cls_refcount_read_op", { v: 1 }, { implicitRef: bool });
const RefReadReply = struct("cls_refcount_read_ret", { v: 1 }, { refs: list(str) });

const ObjRefcount = struct(
  "obj_refcount",
  { v: 2 },
  { refs: map(str, bool), retired: since(2, set(str), new Set<string>()) },
);
type ObjRefcount = Infer<typeof ObjRefcount>;

export const refcountClass = defineClass("refcount", {
  get: method("rw", RefArgs, none, get),
  put: method("rw", RefArgs, none, put),
  set: method("rw", RefSetArgs, none, setAll),
  read: method("r", RefReadArgs, RefReadReply, (context, { implicitRef }) => {
    const stored = read(context, implicitRef);
    return isFailure(stored) ? stored : { refs: [...stored.refs.keys()].sort(naturalOrder) };
  }),
});

const ATTR = "refcount";
const WILDCARD = "";

/** ENOENT: no object; EIO: what is stored does not decode. */
function read(context: ClassContext, implicitRef: boolean): Result<ObjRefcount> {
  const bytes = context.getXattr(ATTR);
  if (isFailure(bytes)) {
    if (bytes.errno !== fail("ENODATA").errno) return bytes;
    return { refs: new Map(implicitRef ? [[WILDCARD, true]] : []), retired: new Set() };
  }
  try {
    const stored = decodeFromBytes(ObjRefcount, bytes);
    return { refs: stored.refs, retired: new Set(stored.retired) };
  } catch (error) {
    if (error instanceof DecodeError) return fail("EIO");
    throw error;
  }
}

function write(context: ClassContext, refs: ObjRefcount): Result<void> {
  return context.setXattr(ATTR, encodeToBytes(ObjRefcount, refs));
}

function get(context: ClassContext, args: Infer<typeof RefArgs>): Result<void> {
  const stored = read(context, args.implicitRef);
  if (isFailure(stored)) return stored;
  stored.refs.set(args.tag, true);
  return write(context, stored);
}

/** EINVAL: no references at all. A tag that holds none, or was put before, changes nothing. */
function put(context: ClassContext, { tag, implicitRef }: Infer<typeof RefArgs>): Result<void> {
  const stored = read(context, implicitRef);
  if (isFailure(stored)) return stored;
  const { refs, retired } = stored;
  if (refs.size === 0) return fail("EINVAL");
  const held = refs.has(tag) ? tag : WILDCARD;
  if (!refs.has(held) || (held !== tag && !implicitRef) || retired.has(tag)) return;
  retired.add(tag);
  refs.delete(held);
  return refs.size === 0 ? context.remove() : write(context, stored);
}

/** Exactly these; none removes the object. */
function setAll(context: ClassContext, args: Infer<typeof RefSetArgs>): Result<void> {
  if (args.refs.length === 0) return context.remove();
  return write(context, { refs: new Map(args.refs.map((tag) => [tag, true])), retired: new Set() });
}
