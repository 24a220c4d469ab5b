/**
 * Class calls: a method of an object class runs on the object, inside the request.
 * ceph: src/osd/PrimaryLogPG.cc CEPH_OSD_OP_CALL, src/osd/objclass.cc
 */

import { assert, ERRNO, fail, isFailure, type Result } from "../../base/index.ts";
import { type ClassContext, type ClassMethod, objectClasses } from "../../cls/index.ts";
import { byteStringOf, EMPTY, flatten } from "../../encoding/index.ts";
import { clsOf, type OsdOp } from "../../messages/index.ts";
import type { EntityAddr, EntityName, SnapId, Utime } from "../../types/index.ts";
import { hasOmap } from "../object-info.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { listOmap } from "./omap.ts";
import { argumentOp } from "./op.ts";
import { readWithin } from "./read.ts";
import { checkRange } from "./write.ts";
import { getXattr, getXattrs, removeXattr, setXattr } from "./xattr.ts";

/** Which class and method an op names, and its input. */
export interface CallTarget {
  readonly className: string;
  readonly methodName: string;
  readonly input: Uint8Array;
  /** Undefined: no such class (EPERM) or no such method (EOPNOTSUPP). */
  readonly method: ClassMethod | undefined;
  readonly errno: number;
}

export function callTarget(op: OsdOp): CallTarget {
  const { classLength, methodLength, indataLength: inputLength } = clsOf(op);
  const names = classLength + methodLength;
  if (names + inputLength > op.indata.length) {
    const empty = op.indata.subarray(0, 0);
    return { className: "", methodName: "", input: empty, method: undefined, errno: -ERRNO.EINVAL };
  }
  const className = byteStringOf(op.indata.subarray(0, classLength));
  const methodName = byteStringOf(op.indata.subarray(classLength, names));
  const input = op.indata.subarray(names, names + inputLength);
  const cls = objectClasses.get(className);
  const method = cls === undefined ? undefined : own(cls.methods, methodName);
  // Upstream refuses a class it may not load with EPERM and a method it does not know with EOPNOTSUPP.
  const errno = cls === undefined ? -ERRNO.EPERM : method === undefined ? -ERRNO.EOPNOTSUPP : 0;
  return { className, methodName, input, method, errno };
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The object as a class method sees it. */
class CallContext implements ClassContext {
  readonly #ctx: OpContext;
  /** Reads and writes of the request before this call. */
  readonly #countedBefore: number;

  constructor(ctx: OpContext) {
    this.#ctx = ctx;
    this.#countedBefore = ctx.delta.reads + ctx.delta.writes;
  }

  /** Ops that the method has made. */
  get opsMade(): number {
    const { reads, writes } = this.#ctx.delta;
    return reads + writes - this.#countedBefore;
  }

  get now(): Utime {
    return this.#ctx.environment.now;
  }
  get origin(): { name: EntityName; addr: EntityAddr } {
    return { name: this.#ctx.connection.peerName, addr: this.#ctx.connection.peerAddr };
  }
  get version(): number {
    return this.#ctx.lastUserVersion;
  }
  get opsSoFar(): number {
    return this.#ctx.opsDone + this.opsMade;
  }
  get snapSeq(): SnapId | undefined {
    const { snapset } = this.#ctx.before;
    return this.#ctx.isVisible || (this.#ctx.exists && snapset.clones.length > 0)
      ? snapset.seq
      : undefined;
  }
  get minAllocSize(): number {
    return this.#ctx.environment.minAllocSize;
  }
  get requireOsdRelease(): number {
    return this.#ctx.environment.requireOsdRelease;
  }
  get requireMinCompatClient(): number {
    return this.#ctx.environment.requireMinCompatClient;
  }

  exists(): boolean {
    return this.#ctx.isVisible;
  }

  stat(): Result<{ size: number; mtime: Utime }> {
    const ctx = this.#ctx;
    ctx.countRead(0);
    return ctx.isVisible ? { size: ctx.info.size, mtime: ctx.info.mtime } : fail("ENOENT");
  }

  read(offset: number, length: number): Result<Uint8Array> {
    const read = readWithin(this.#ctx, offset, length);
    return isFailure(read) ? read : flatten(read);
  }

  extents(offset: number, length: number): Result<[number, number][]> {
    const ctx = this.#ctx;
    if (!ctx.isVisible) return fail("ENOENT");
    return ctx.store.extents(ctx.collection, ctx.object, offset, length);
  }

  getXattr(name: string): Result<Uint8Array> {
    this.#ctx.countRead(0);
    return getXattr(this.#ctx, name);
  }

  getXattrs(): Result<[string, Uint8Array][]> {
    this.#ctx.countRead(0);
    return getXattrs(this.#ctx);
  }

  // Whose omap the request has cleared has none, whatever the store still has: as for ops.
  omapHeader(): Result<Uint8Array> {
    const ctx = this.#ctx;
    ctx.countRead(0);
    return hasOmap(ctx.info) ? ctx.store.omapHeader(ctx.collection, ctx.object) : EMPTY;
  }

  omapGet(key: string): Result<Uint8Array> {
    const ctx = this.#ctx;
    ctx.countRead(0);
    if (!hasOmap(ctx.info)) return fail("ENOENT");
    return ctx.store.omapGet(ctx.collection, ctx.object, key) ?? fail("ENOENT");
  }

  omapList(after: string, prefix: string, max: number) {
    const ctx = this.#ctx;
    ctx.countRead(0);
    if (!hasOmap(ctx.info)) return { entries: [], more: false };
    const { found, more } = listOmap(ctx, after, prefix, max);
    return { entries: found, more };
  }

  watchers() {
    return this.#ctx.info.watchers.map((w) => ({
      name: w.entity,
      cookie: w.cookie,
      addr: w.addr,
      timeoutSeconds: w.timeoutSeconds,
    }));
  }

  random(bytes: number): Uint8Array {
    return this.#ctx.environment.random(bytes);
  }

  create(exclusive: boolean): Result<void> {
    const ctx = this.#ctx;
    if (exclusive && ctx.isVisible) return fail("EEXIST");
    ctx.create();
    ctx.modify = true;
    return undefined;
  }

  remove(): Result<void> {
    return this.#ctx.remove() ? undefined : fail("ENOENT");
  }

  write(offset: number, data: Uint8Array): Result<void> {
    const bad = checkRange(this.#ctx, offset, data.length);
    if (bad !== 0) return fail(bad);
    this.#ctx.create();
    this.#ctx.write(offset, data.length, [data]);
    return undefined;
  }

  writeFull(data: Uint8Array): Result<void> {
    const bad = checkRange(this.#ctx, 0, data.length);
    if (bad !== 0) return fail(bad);
    this.#ctx.create();
    this.#ctx.writeFull(data.length, [data]);
    return undefined;
  }

  zero(offset: number, length: number): Result<void> {
    const ctx = this.#ctx;
    const bad = checkRange(this.#ctx, offset, length);
    if (bad !== 0) return fail(bad);
    if (!ctx.isVisible || offset >= ctx.info.size || length === 0) return undefined;
    if (offset + length >= ctx.info.size) ctx.truncate(offset);
    else ctx.zero(offset, length);
    return undefined;
  }

  truncate(size: number): Result<void> {
    const bad = checkRange(this.#ctx, size, 0);
    if (bad !== 0) return fail(bad);
    if (this.#ctx.isVisible) this.#ctx.truncate(size);
    return undefined;
  }

  setXattr(name: string, value: Uint8Array): Result<void> {
    const r = setXattr(this.#ctx, name, value);
    return r === 0 ? undefined : fail(r);
  }

  removeXattr(name: string): Result<void> {
    const r = removeXattr(this.#ctx, name);
    return r === 0 ? undefined : fail(r);
  }

  omapSet(entries: readonly (readonly [string, Uint8Array])[]): Result<void> {
    const ctx = this.#ctx;
    ctx.create();
    ctx.staged.push({ op: "omap-set", object: ctx.object, entries });
    ctx.markOmap(true);
    ctx.countWrite(0);
    return undefined;
  }

  omapSetHeader(header: Uint8Array): Result<void> {
    const ctx = this.#ctx;
    ctx.create();
    ctx.staged.push({ op: "omap-header", object: ctx.object, header });
    ctx.markOmap(true);
    ctx.countWrite(0);
    return undefined;
  }

  omapRemove(keys: readonly string[]): Result<void> {
    const ctx = this.#ctx;
    if (!ctx.isVisible) return fail("ENOENT");
    ctx.staged.push({ op: "omap-remove", object: ctx.object, keys });
    ctx.countWrite(0);
    return undefined;
  }

  omapRemoveRange(from: string, to: string): Result<void> {
    const ctx = this.#ctx;
    if (!ctx.isVisible) return fail("ENOENT");
    ctx.staged.push({ op: "omap-remove-range", object: ctx.object, from, to });
    ctx.countWrite(0);
    return undefined;
  }

  omapClear(): Result<void> {
    const ctx = this.#ctx;
    if (!ctx.isVisible) return fail("ENOENT");
    ctx.staged.push({ op: "omap-clear", object: ctx.object });
    ctx.markOmap(false);
    ctx.countWrite(0);
    return undefined;
  }

  log(event: string, fields?: Record<string, string | number | bigint>): void {
    this.#ctx.environment.log(event, fields);
  }
}

function runCall(ctx: OpContext, slot: OpSlot): number {
  const { method, input, errno } = callTarget(slot.op);
  if (method === undefined) return errno;
  const stagedBefore = ctx.staged.length;
  if (method.writes) ctx.userModify = true;
  const context = new CallContext(ctx);
  const answer = method.call(context, input);
  ctx.opsDone += context.opsMade;
  if (isFailure(answer)) return answer.errno;
  assert(
    method.writes || ctx.staged.length === stagedBefore,
    "a read-only class method has written",
  );
  if (answer.length === 0) return 0;
  // What a method gives back of its input may be the receive ring's, and the reply leaves later.
  const isInput = answer.buffer === slot.op.indata.buffer;
  slot.out = [isInput ? Uint8Array.from(answer) : answer];
  return 0;
}
export const call = argumentOp(runCall);
