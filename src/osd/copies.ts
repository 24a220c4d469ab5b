/**
 * Copies under way. The target's object is held meanwhile: requests for it wait, and run in their order
 * when the copy is there, the request that wants the copy first. Only copy-get does not wait: two objects
 * may be copied onto each other.
 * ceph: src/osd/PrimaryLogPG.cc start_copy, _copy_some, process_copy_chunk
 */

import { ERRNO } from "../base/index.ts";
import { flatten } from "../encoding/index.ts";
import {
  COPY_FROM_FLAG,
  COPY_START,
  type MOSDOp,
  type ObjectCopyCursor,
  OSD_FLAG,
  OSD_OP,
  opAssertVer,
  opCopyGet,
} from "../messages/index.ts";
import { headOf } from "../types/index.ts";
import type { Request } from "./executor.ts";
import { type CopySource, decodePiece, type ObjectCopy } from "./ops/copy.ts";
import type { Peers } from "./peers.ts";

/** Bytes of data and omap read at a time.  ceph: osd_copyfrom_max_chunk */
const PIECE_BYTES = 8 << 20;
/** Copies that are read at a time, for each may be in memory whole; others wait. */
const READING_MAX = 4;

/** What a copy-from's flags ask of the reads. */
const READ_FLAGS: readonly (readonly [number, number])[] = [
  [COPY_FROM_FLAG.MAP_SNAP_CLONE, OSD_FLAG.MAP_SNAP_CLONE],
  [COPY_FROM_FLAG.RWORDERED, OSD_FLAG.RWORDERED],
  [COPY_FROM_FLAG.IGNORE_OVERLAY, OSD_FLAG.IGNORE_OVERLAY],
];

/** Reads a whole object. @returns a negative errno if that fails */
async function readObject(peers: Peers, source: CopySource): Promise<ObjectCopy | number> {
  let flags = OSD_FLAG.READ;
  for (const [wanted, flag] of READ_FLAGS) if ((source.flags & wanted) !== 0) flags |= flag;
  let version = source.version;
  let cursor: ObjectCopyCursor = COPY_START;
  let attrs: ReadonlyMap<string, Uint8Array> = new Map();
  let omapHeader: Uint8Array = new Uint8Array(0);
  const data: Uint8Array[] = [];
  const omap: [string, Uint8Array][] = [];
  for (;;) {
    // The first piece tells the version; the others must be of the same.
    const ops = [opCopyGet(cursor, PIECE_BYTES)];
    if (version !== 0) ops.unshift(opAssertVer(version));
    const reply = await peers.read(source, ops, flags);
    if (reply === undefined) return -ERRNO.ENOENT;
    if (reply.result < 0) return reply.result;
    version = reply.userVersion;
    const next = decodePiece(flatten(reply.ops.at(-1)!.outdata));
    const { piece } = next;
    if (!cursor.attrComplete) attrs = piece.attrs;
    if (piece.data.length > 0) data.push(piece.data);
    if (piece.omapHeader.length > 0) omapHeader = piece.omapHeader;
    omap.push(...next.omap);
    cursor = piece.cursor;
    if (!next.isLast) continue;
    const { size, mtime, truncateSeq, truncateSize } = piece;
    return {
      userVersion: version,
      size,
      mtime,
      truncateSeq,
      truncateSize,
      attrs,
      data,
      omapHeader,
      omap,
    };
  }
}

function nameOf(pool: number, message: MOSDOp): string {
  const { nspace, key, oid } = headOf(pool, message);
  return JSON.stringify([pool, nspace, key, oid]);
}

export class Copies {
  readonly #peers: Peers;
  readonly #failed: (error: Error) => void;
  /** What waits for the copy of an object, by the object. */
  readonly #held = new Map<string, (() => void)[]>();
  #reading = 0;
  /** Copies whose turn has not come. */
  readonly #queue: (() => void)[] = [];

  /** @param failed something happened that must not */
  constructor(peers: Peers, failed: (error: Error) => void) {
    this.#peers = peers;
    this.#failed = failed;
  }

  /**
   * Has the request to wait for a copy of its object? To be asked before all else that it may have to wait for: those
   * that wait here ask for that afterwards.
   */
  holds(pool: number, message: MOSDOp): boolean {
    if (this.#held.size === 0 || !this.#held.has(nameOf(pool, message))) return false;
    return message.ops.some(({ code }) => code !== OSD_OP.COPY_GET && code !== OSD_OP.ASSERT_VER);
  }

  /** Runs `run` when the object that the request is about is held no more. */
  wait(pool: number, message: MOSDOp, run: () => void): void {
    this.#held.get(nameOf(pool, message))?.push(run);
  }

  /**
   * Reads the source for the op `index` of a request, then runs the request again.
   * @param refuse the source can not be read
   */
  start(
    request: Request,
    index: number,
    source: CopySource,
    refuse: (errno: number) => void,
  ): void {
    const name = nameOf(request.pg.id.pool, request.message);
    const resume = request.suspend();
    const waiting: (() => void)[] = [];
    this.#held.set(name, waiting);
    this.#read(source)
      .then((copy) => {
        this.#held.delete(name);
        if (typeof copy === "number") {
          refuse(copy);
        } else {
          request.keepCopy(index, copy);
          resume();
        }
        for (const each of waiting) each();
      })
      .catch((error: Error) => this.#failed(error));
  }

  /** In its turn. */
  async #read(source: CopySource): Promise<ObjectCopy | number> {
    if (this.#reading >= READING_MAX) await new Promise<void>((go) => this.#queue.push(go));
    else this.#reading++;
    try {
      return await readObject(this.#peers, source);
    } finally {
      // Whoever comes next takes over the place.
      const next = this.#queue.shift();
      if (next === undefined) this.#reading--;
      else next();
    }
  }
}
