/**
 * Listing a pool's objects, in the order of their placement, from any place to any other.
 *
 * The order is that of `compareHObject`: by the bits of the placement hash from the lowest on. A placement
 * group is a range of it, whatever the number of groups, so that a pool which splits while it is walked is
 * gone on with where the walk was; and a range can be cut into any number of parts for several walkers.
 * ceph: src/osdc/Objecter.cc enumerate_objects; src/librados/IoCtxImpl.cc object_list_slice
 */

import { assert } from "../base/index.ts";
import { decodeFromBytes, flatten, list, record, str, struct } from "../encoding/index.ts";
import { OSD_FLAG, opPgnls } from "../messages/index.ts";
import {
  compareHObject,
  HOBJECT_MAX,
  HOBJECT_MIN,
  HObject,
  NOSNAP,
  objectHash,
  reverseBits,
} from "../types/index.ts";
import type { CallOptions } from "./limits.ts";
import { opError } from "./linger.ts";
import { type Objecter, poolGone } from "./objecter.ts";

/** Objects asked for in one request.  ceph: librados asks for 1024 */
const PAGE = 1000;
/** The namespace that stands for all of them.  ceph: LIBRADOS_ALL_NSPACES */
export const ALL_NSPACES = "\x01";

/** A place in a pool's order; from `ObjectListing` only. */
export type ListCursor = HObject;

/** An object as a listing has it. Byte strings. */
export interface ListedObject {
  readonly nspace: string;
  readonly oid: string;
  /** What is hashed in place of the name; "" if the name is. */
  readonly key: string;
}

export interface ListOptions extends CallOptions {
  /** The first place. @default the beginning of the pool */
  readonly begin?: ListCursor;
  /** The first place that is not wanted any more. @default the end of the pool */
  readonly end?: ListCursor;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Where the next page begins; undefined if this is the last one. */
  readonly next: ListCursor | undefined;
}

const ListEntry = record("librados::ListObjectImpl", { nspace: str, oid: str, locator: str });
const ListReply = struct(
  "pg_nls_response_t",
  { v: 1 },
  { handle: HObject, entries: list(ListEntry) },
);

export class ObjectListing {
  readonly #objecter: Objecter;
  readonly #pool: number;
  readonly #nspace: string;

  /** @param nspace byte string, or ALL_NSPACES */
  constructor(objecter: Objecter, pool: number, nspace: string) {
    this.#objecter = objecter;
    this.#pool = pool;
    this.#nspace = nspace;
  }

  get begin(): ListCursor {
    return HOBJECT_MIN;
  }

  get end(): ListCursor {
    return HOBJECT_MAX;
  }

  /** Where an object is, or would be. */
  cursorOf({ nspace, oid, key }: ListedObject): ListCursor {
    const kind = this.#objecter.map?.pools.get(this.#pool)?.objectHash;
    const hash = objectHash(oid, nspace, key, kind);
    return { key, oid, snap: NOSNAP, hash, max: 0, nspace, pool: BigInt(this.#pool) };
  }

  /** Where a placement group begins: its number is the first hash of its range. */
  groupBegin(seed: number): ListCursor {
    return { ...HOBJECT_MIN, snap: NOSNAP, hash: seed, pool: BigInt(this.#pool) };
  }

  /** A range in so many parts, of hashes alike in number, that together are the range. */
  split(parts: number, { begin = this.begin, end = this.end }: ListOptions = {}) {
    assert(Number.isInteger(parts) && parts > 0, `a range in ${parts} parts`);
    const first = reverseBits(begin.hash);
    const size = (end.max !== 0 ? 2 ** 32 : reverseBits(end.hash)) - first;
    const at = (part: number): ListCursor => {
      if (part === 0) return begin;
      if (part === parts) return end;
      return this.groupBegin(reverseBits(first + Math.floor((size * part) / parts)));
    };
    return Array.from({ length: parts }, (_, part) => ({ begin: at(part), end: at(part + 1) }));
  }

  /** @throws CephError ENOENT if the pool is gone */
  async page({ begin = this.begin, end = this.end, ...limits }: ListOptions): Promise<ListPage> {
    if (compareHObject(begin, end) >= 0) return { objects: [], next: undefined };
    const map = await this.#objecter.mapAtLeast(1, limits);
    if (!map.pools.has(this.#pool)) throw poolGone(this.#pool);
    const { reply } = await this.#objecter.submit(
      {
        pool: this.#pool,
        nspace: this.#nspace,
        oid: "",
        hash: begin.hash,
        ops: [opPgnls(PAGE, map.epoch, begin)],
        flags: OSD_FLAG.READ | OSD_FLAG.PGOP | OSD_FLAG.IGNORE_OVERLAY,
      },
      limits,
    );
    if (reply.result < 0) throw opError(reply.result, "list", { oid: `pool ${this.#pool}` });
    const { handle, entries } = decodeFromBytes(ListReply, flatten(reply.ops[0]?.outdata ?? []));
    const found = entries.map(({ nspace, oid, locator }) => ({ nspace, oid, key: locator }));
    const isLast = compareHObject(handle, end) >= 0;
    if (!isLast) return { objects: found, next: handle };
    const objects = found.filter((object) => compareHObject(this.cursorOf(object), end) < 0);
    return { objects, next: undefined };
  }

  async *objects(options: ListOptions = {}): AsyncGenerator<ListedObject> {
    let next: ListCursor | undefined = options.begin ?? this.begin;
    while (next !== undefined) {
      const page: ListPage = await this.page({ ...options, begin: next });
      yield* page.objects;
      next = page.next;
    }
  }
}
