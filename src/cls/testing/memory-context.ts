/**
 * One object in memory that class methods can run on: for tests.
 *
 * Keeps the two rules of the OSD that classes rely on: reads see the object as it was before the call,
 * except that existence and size follow it; and a call that fails changes nothing. A method that only
 * reads never starts on an object that is not there.
 */

import { assert, fail, isFailure, type Result } from "../../base/index.ts";
import type { EntityAddr, EntityName, SnapId, Utime } from "../../types/index.ts";
import { ADDR_TYPE, ENTITY_TYPE } from "../../types/index.ts";
import type { ClassContext, ObjectClass } from "../objclass.ts";

interface ObjectState {
  data: Uint8Array;
  xattrs: Map<string, Uint8Array>;
  omap: Map<string, Uint8Array>;
  omapHeader: Uint8Array;
}

function blank(): ObjectState {
  return {
    data: new Uint8Array(0),
    xattrs: new Map(),
    omap: new Map(),
    omapHeader: new Uint8Array(0),
  };
}

function copyOf(state: ObjectState): ObjectState {
  return { ...state, xattrs: new Map(state.xattrs), omap: new Map(state.omap) };
}

/** What a call answered: a negative errno, or 0 and the output. */
export interface CallResult {
  errno: number;
  output: Uint8Array;
}

type Watcher = ReturnType<ClassContext["watchers"]>[number];

/** Bytes; osd_max_object_size. */
const OBJECT_BYTES_MAX = 128 * 1024 * 1024;

export class MemoryObject implements ClassContext {
  now: Utime = { sec: 1_700_000_000, nsec: 5 };
  origin: { name: EntityName; addr: EntityAddr } = {
    name: { type: ENTITY_TYPE.CLIENT, num: 4100n },
    addr: { type: ADDR_TYPE.MSGR2, nonce: 7, ip: "127.0.0.1", port: 0 },
  };
  version = 1;
  opsSoFar = 0;
  snapsetSeq: SnapId = 0n;
  minAllocSize = 4096;
  requireOsdRelease = 16;
  requireMinCompatClient = 12;
  watcherList: Watcher[] = [];
  /** Handed out by random(), then zeros. */
  randomBytes: Uint8Array = new Uint8Array(0);
  /** Bytes that calls have written to data, for tests of how much a method touches. */
  bytesWritten = 0;

  #before: ObjectState | undefined;
  #after: ObjectState | undefined;

  /** Runs a method as the OSD does. */
  call(cls: ObjectClass, name: string, input: Uint8Array): CallResult {
    const method = cls.methods[name];
    assert(method !== undefined, `${cls.name} has no ${name}`);
    const output = new Uint8Array(0);
    if (!method.writes && this.#before === undefined)
      return { errno: fail("ENOENT").errno, output };
    this.#after = this.#before === undefined ? undefined : copyOf(this.#before);
    this.#changed = false;
    this.opsSoFar = 0;
    const answer = method.call(this, input);
    if (isFailure(answer)) {
      this.#after = this.#before;
      return { errno: answer.errno, output };
    }
    assert(method.writes || !this.#changed, `${name} says it only reads`);
    this.#before = this.#after;
    return { errno: 0, output: answer };
  }

  #changed = false;

  /** The object between calls; undefined if there is none. */
  get state(): Readonly<ObjectState> | undefined {
    return this.#before;
  }

  /** The same object, to try things on. */
  clone(): MemoryObject {
    const copy = new MemoryObject();
    copy.now = this.now;
    copy.origin = this.origin;
    copy.snapsetSeq = this.snapsetSeq;
    copy.watcherList = this.watcherList;
    copy.#before = copy.#after = this.#before === undefined ? undefined : copyOf(this.#before);
    return copy;
  }

  /** Changes the object between calls, as a client's plain operations would. */
  edit(change: (state: ObjectState) => void): void {
    const state = this.#before ?? blank();
    change(state);
    this.#before = this.#after = state;
  }

  erase(): void {
    this.#before = this.#after = undefined;
  }

  /** What reads see; ENOENT if the object was not there before the call. */
  #old(): Result<ObjectState> {
    return this.#before ?? fail("ENOENT");
  }

  /** What writes change; they create the object. */
  #new(): ObjectState {
    this.#changed = true;
    this.#after ??= blank();
    return this.#after;
  }

  get snapSeq(): SnapId | undefined {
    return this.exists() ? this.snapsetSeq : undefined;
  }

  exists(): boolean {
    return this.#after !== undefined;
  }

  stat(): Result<{ size: number; mtime: Utime }> {
    return this.#after === undefined
      ? fail("ENOENT")
      : { size: this.#after.data.length, mtime: this.now };
  }

  read(offset: number, length: number): Result<Uint8Array> {
    const old = this.#old();
    if (isFailure(old)) return new Uint8Array(0);
    return old.data.subarray(offset, length === 0 ? undefined : offset + length);
  }

  extents(offset: number, length: number): Result<[offset: number, length: number][]> {
    const old = this.#old();
    if (isFailure(old)) return old;
    const end = Math.min(old.data.length, offset + length);
    return end > offset ? [[offset, end - offset]] : [];
  }

  getXattr(name: string): Result<Uint8Array> {
    const old = this.#old();
    return isFailure(old) ? old : (old.xattrs.get(name) ?? fail("ENODATA"));
  }

  getXattrs(): Result<[string, Uint8Array][]> {
    const old = this.#old();
    return isFailure(old) ? old : [...old.xattrs].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  omapHeader(): Result<Uint8Array> {
    this.opsSoFar++;
    return this.#before?.omapHeader ?? new Uint8Array(0);
  }

  omapGet(key: string): Result<Uint8Array> {
    return this.#before?.omap.get(key) ?? fail("ENOENT");
  }

  omapList(
    after: string,
    prefix: string,
    max: number,
  ): Result<{ entries: [string, Uint8Array][]; more: boolean }> {
    const all = [...(this.#before?.omap ?? [])]
      .filter(([key]) => key > after && key.startsWith(prefix))
      .sort((a, b) => (a[0] < b[0] ? -1 : 1));
    return { entries: all.slice(0, max), more: all.length > max };
  }

  watchers(): Watcher[] {
    return this.watcherList;
  }

  random(bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    out.set(this.randomBytes.subarray(0, bytes));
    return out;
  }

  create(exclusive: boolean): Result<void> {
    if (exclusive && this.#after !== undefined) return fail("EEXIST");
    this.#new();
  }

  remove(): Result<void> {
    if (this.#after === undefined) return fail("ENOENT");
    this.#changed = true;
    this.#after = undefined;
  }

  write(offset: number, data: Uint8Array): Result<void> {
    if (offset + data.length > OBJECT_BYTES_MAX) return fail("EFBIG");
    const state = this.#new();
    const grown = new Uint8Array(Math.max(state.data.length, offset + data.length));
    grown.set(state.data);
    grown.set(data, offset);
    state.data = grown;
    this.bytesWritten += data.length;
  }

  writeFull(data: Uint8Array): Result<void> {
    this.#new().data = Uint8Array.from(data);
    this.bytesWritten += data.length;
  }

  zero(offset: number, length: number): Result<void> {
    const state = this.#after;
    if (state === undefined) return;
    this.#changed = true;
    state.data = Uint8Array.from(state.data).fill(0, offset, offset + length);
  }

  truncate(size: number): Result<void> {
    if (size > OBJECT_BYTES_MAX) return fail("EFBIG");
    const state = this.#after;
    if (state === undefined) return;
    this.#changed = true;
    const data = new Uint8Array(size);
    data.set(state.data.subarray(0, size));
    state.data = data;
  }

  setXattr(name: string, value: Uint8Array): Result<void> {
    this.#new().xattrs.set(name, Uint8Array.from(value));
  }

  removeXattr(name: string): Result<void> {
    if (this.#after === undefined) return fail("ENOENT");
    this.#new().xattrs.delete(name);
  }

  omapSet(entries: readonly (readonly [string, Uint8Array])[]): Result<void> {
    const { omap } = this.#new();
    this.opsSoFar++;
    for (const [key, value] of entries) omap.set(key, Uint8Array.from(value));
  }

  omapSetHeader(header: Uint8Array): Result<void> {
    this.#new().omapHeader = Uint8Array.from(header);
  }

  omapRemove(keys: readonly string[]): Result<void> {
    if (this.#after === undefined) return fail("ENOENT");
    const { omap } = this.#new();
    for (const key of keys) omap.delete(key);
  }

  omapRemoveRange(from: string, to: string): Result<void> {
    if (this.#after === undefined) return fail("ENOENT");
    const { omap } = this.#new();
    for (const key of omap.keys()) if (key >= from && key < to) omap.delete(key);
  }

  omapClear(): Result<void> {
    if (this.#after === undefined) return fail("ENOENT");
    this.#new().omap.clear();
  }

  log(): void {}
}
