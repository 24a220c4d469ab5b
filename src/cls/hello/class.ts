/**
 * The hello class: Ceph's example, which tools and tests call to see that class calls work.
 *
 * Not here: the methods whose only purpose is to return data from writes, or to break the rules.
 * ceph: src/cls/hello/cls_hello.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { byteStringOf, bytesOf } from "../../encoding/index.ts";
import { addrKey, formatEntityName } from "../../types/index.ts";
import { rest } from "../argument.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";

const INPUT_MAX = 100;
const CONTENT_MAX = 1100;

export const helloClass = defineClass("hello", {
  say_hello: method("r", rest, rest, (_context, name) => greeting(name)),
  record_hello: method("w", rest, none, recordHello),
  replay: method("r", none, rest, (context) => context.read(0, CONTENT_MAX)),
  turn_it_to_11: method("rw", rest, none, turnItTo11),
});

/** EINVAL: too long a name. */
function greeting(name: Uint8Array): Result<Uint8Array> {
  if (name.length > INPUT_MAX) return fail("EINVAL");
  return bytesOf(`Hello, ${name.length === 0 ? "world" : byteStringOf(name)}!`);
}

function signature(context: ClassContext): Uint8Array {
  return bytesOf(`${formatEntityName(context.origin.name)} ${addrKey(context.origin.addr)}`);
}

/** EEXIST: there is an object. */
function recordHello(context: ClassContext, name: Uint8Array): Result<void> {
  const content = greeting(name);
  if (isFailure(content)) return content;
  if (context.exists()) return fail("EEXIST");
  const written = context.writeFull(content);
  return isFailure(written) ? written : context.setXattr("said_by", signature(context));
}

/** Capitals, of an object that is made where there is none. EINVAL: any input. */
function turnItTo11(context: ClassContext, input: Uint8Array): Result<void> {
  if (input.length !== 0) return fail("EINVAL");
  const before = context.read(0, CONTENT_MAX);
  if (isFailure(before)) return before;
  const loud = before.map((c) => (c >= 0x61 && c <= 0x7a ? c - 0x20 : c));
  const written = context.writeFull(loud);
  return isFailure(written) ? written : context.setXattr("amplified_by", signature(context));
}
