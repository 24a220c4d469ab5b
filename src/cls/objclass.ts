/**
 * Object classes: methods that run inside the OSD, next to the object they work on.
 *
 * A class is a table from wire names to methods; the executor looks a call up, decodes its argument, runs
 * it and encodes its answer. A method sees one object through `ClassContext` and nothing else. Reads see
 * the object as it was before the client's whole operation, except that existence and size follow it.
 * Methods are synchronous: an operation runs to completion, so no two ever interleave on an object.
 * ceph: src/objclass/objclass.h, src/osd/ClassHandler.h
 */

import { fail, isFailure, type Result } from "../base/index.ts";
import { type Codec, DecodeError, EMPTY, encodeToBytes, Reader } from "../encoding/index.ts";
import type { EntityAddr, EntityName, SnapId, Utime } from "../types/index.ts";

/** All that a class method may see and do. Failures are negative errnos inside `Result`. */
export interface ClassContext {
  /** Wall-clock time of the operation. */
  readonly now: Utime;
  /** Who sent the request, as the session (not the payload) says. */
  readonly origin: { readonly name: EntityName; readonly addr: EntityAddr };
  /** Newest user version of the object's PG before this operation. */
  readonly version: number;
  /** Reads and writes of the request so far, this call's included: with `version`, unique to a change. */
  readonly opsSoFar: number;
  /** Newest snap id this object's writes have seen; undefined if neither it nor a clone of it is there. */
  readonly snapSeq: SnapId | undefined;
  /** Minimum allocation unit of the store, bytes. */
  readonly minAllocSize: number;
  /** OSD release the map requires (16 = pacific). */
  readonly requireOsdRelease: number;
  /** Oldest release a client of this map must have (12 = luminous). */
  readonly requireMinCompatClient: number;

  exists(): boolean;
  /** Size in bytes and modification time; ENOENT if absent. */
  stat(): Result<{ size: number; mtime: Utime }>;
  /** `length` 0 reads to the end. Short at the end. ENOENT if absent. */
  read(offset: number, length: number): Result<Uint8Array>;
  /** Ranges that have data within the object. ENOENT if absent. */
  extents(offset: number, length: number): Result<[offset: number, length: number][]>;
  getXattr(name: string): Result<Uint8Array>;
  getXattrs(): Result<[string, Uint8Array][]>;
  omapHeader(): Result<Uint8Array>;
  omapGet(key: string): Result<Uint8Array>;
  /** Entries after `after` whose keys start with `prefix`, at most `max`; `more` if there were others. */
  omapList(
    after: string,
    prefix: string,
    max: number,
  ): Result<{ entries: [string, Uint8Array][]; more: boolean }>;
  /** Entities watching the object. */
  watchers(): { name: EntityName; cookie: bigint; addr: EntityAddr; timeoutSeconds: number }[];
  random(bytes: number): Uint8Array;

  /** EEXIST if exclusive and there already. */
  create(exclusive: boolean): Result<void>;
  remove(): Result<void>;
  write(offset: number, data: Uint8Array): Result<void>;
  writeFull(data: Uint8Array): Result<void>;
  zero(offset: number, length: number): Result<void>;
  truncate(size: number): Result<void>;
  setXattr(name: string, value: Uint8Array): Result<void>;
  /** ENOENT if the object is absent; a missing attribute is no failure. */
  removeXattr(name: string): Result<void>;
  omapSet(entries: readonly (readonly [string, Uint8Array])[]): Result<void>;
  omapSetHeader(header: Uint8Array): Result<void>;
  omapRemove(keys: readonly string[]): Result<void>;
  omapRemoveRange(from: string, to: string): Result<void>;
  omapClear(): Result<void>;

  log(event: string, fields?: Record<string, string | number | bigint>): void;
}

/** What the method does to the object: decides caps and whether the call is a write. */
export type MethodFlags = "r" | "w" | "rw";

/** One method, ready to run on encoded bytes. */
export interface ClassMethod {
  readonly reads: boolean;
  readonly writes: boolean;
  /** Output bytes, or why not. Malformed input is EINVAL. */
  call(context: ClassContext, input: Uint8Array): Result<Uint8Array>;
}

export interface ObjectClass {
  readonly name: string;
  readonly methods: Readonly<Record<string, ClassMethod>>;
}

/** A codec of nothing: methods without argument or answer. Ignores what it is given, as Ceph does. */
export const none: Codec<void> = {
  name: "none",
  minSize: 0,
  encode: () => {},
  decode: () => {},
};

/**
 * Describes a method by its argument and answer codecs.
 * @param run the body: returns the answer or a failure
 * @param first what comes before the look at the argument: its failure goes before EINVAL
 */
export function method<A, R>(
  flags: MethodFlags,
  args: Codec<A>,
  reply: Codec<R>,
  run: (context: ClassContext, args: A) => Result<R>,
  first?: (context: ClassContext) => Result<unknown>,
): ClassMethod {
  return {
    reads: flags.includes("r"),
    writes: flags.includes("w"),
    call(context, input) {
      const begun = first?.(context);
      if (isFailure(begun)) return begun;
      let decoded: A;
      try {
        decoded = args.decode(new Reader(input));
      } catch (error) {
        if (error instanceof DecodeError) return fail("EINVAL");
        throw error;
      }
      const answer = run(context, decoded);
      if (isFailure(answer)) return answer;
      return reply === (none as Codec<unknown>) ? EMPTY : encodeToBytes(reply, answer);
    },
  };
}

export function defineClass(name: string, methods: Record<string, ClassMethod>): ObjectClass {
  return { name, methods };
}
