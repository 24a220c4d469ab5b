/**
 * A transaction's record in the journal: the elementary changes it made, in order, with every decision
 * (ids, block numbers) in it, so that replay decides nothing.
 *
 * Each change is a u8 code and its arguments. `USE` and the changes that create name the object that the
 * following ones are about. A record also carries the data of small writes; large ones are named by their
 * blocks and checksums.
 */

import { must } from "../../base/index.ts";
import { EMPTY, type Reader } from "../../encoding/index.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { blockCrc } from "./block-file.ts";
import { JournalError } from "./journal.ts";
import type { Onode } from "./onode.ts";
import type { StoreState } from "./state.ts";

export const CHANGE = {
  CREATE_COLLECTION: 1, // u32 id, str name
  REMOVE_COLLECTION: 2, // str name
  USE: 3, // u32 collection, str key
  CREATE: 4, // u32 collection, str key, u64 id
  REMOVE: 5,
  SIZE: 6, // u64
  INLINE: 7, // u32 first, u32 block, u16 n, n blocks of data
  DIRECT: 8, // u32 first, u32 block, u32 n, n crcs
  SHARED: 9, // u32 first, u32 block, u32 crc
  UNMAP: 10, // u32 first, u32 n
  SET_ATTR: 11, // str, blob
  REMOVE_ATTR: 12, // str
  OMAP_SET: 13, // u32 n, n times {str, blob}
  OMAP_REMOVE: 14, // u32 n, n times str
  OMAP_REMOVE_RANGE: 15, // str, str
  OMAP_CLEAR: 16,
  OMAP_HEADER: 17, // blob
  CLONE: 18, // str key, u64 id: a new object like the one in use, which it replaces as that
  MOVE: 19, // u32 collection, u32 other collection, u32 n, n times str key
} as const;

/** The data of a large write did not reach the disk: the log ends before this transaction. */
export class DataMissing extends Error {}

/** Redoes the changes of records on a state that was exactly as before them. */
export class Replayer {
  readonly #state: StoreState;
  #object: Onode | undefined;

  constructor(state: StoreState) {
    this.#state = state;
  }

  /**
   * Are the large writes of this record on the disk?
   * Asked of transactions that may have been under way when the store stopped, before `replay`.
   */
  dataArrived(record: Reader): boolean {
    const start = record.offset;
    try {
      while (record.remaining > 0) this.#change(record, true);
      return true;
    } catch (error) {
      if (error instanceof DataMissing) return false;
      throw error;
    } finally {
      record.offset = start;
    }
  }

  replay(record: Reader): void {
    this.#object = undefined;
    while (record.remaining > 0) this.#change(record, false);
  }

  get #used(): Onode {
    return must(this.#object, "object of a record");
  }

  #change(r: Reader, checkOnly: boolean): void {
    const code = r.u8();
    switch (code) {
      case CHANGE.INLINE:
        return this.#inline(r, checkOnly);
      case CHANGE.DIRECT:
        return this.#direct(r, checkOnly);
      case CHANGE.SHARED: {
        const [first, block, crc] = [r.u32(), r.u32(), r.u32()];
        if (!checkOnly) this.#state.mapShared(this.#used, first, block, crc);
        return;
      }
      case CHANGE.UNMAP: {
        const [first, count] = [r.u32(), r.u32()];
        if (!checkOnly) this.#state.unmap(this.#used, first, count);
        return;
      }
      case CHANGE.SIZE: {
        const size = r.u64n();
        if (!checkOnly) this.#state.setSize(this.#used, size);
        return;
      }
      default:
        if (code >= CHANGE.SET_ATTR && code <= CHANGE.OMAP_HEADER) {
          this.#names(code, r, checkOnly);
        } else this.#objects(code, r, checkOnly);
    }
  }

  #inline(r: Reader, checkOnly: boolean): void {
    const state = this.#state;
    const [first, block, count] = [r.u32(), r.u32(), r.u16()];
    const data = r.view(count * BLOCK_SIZE);
    if (checkOnly) return;
    for (let i = 0; i < count; i++) {
      const bytes = data.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE);
      if (this.#used.at(first + i) !== block + i + 1) state.allocator.take(block + i);
      state.blocks.pending.stage(block + i).set(bytes);
      state.mapOwn(this.#used, first + i, block + i, blockCrc(bytes));
    }
  }

  #direct(r: Reader, checkOnly: boolean): void {
    const state = this.#state;
    const [first, block, count] = [r.u32(), r.u32(), r.u32()];
    const chunk = checkOnly ? Buffer.allocUnsafe(BLOCK_SIZE) : EMPTY;
    for (let i = 0; i < count; i++) {
      const crc = r.u32();
      if (checkOnly) {
        // From the file itself: an earlier record may have left something pending for the block.
        state.blocks.file.readSync(chunk, (block + i) * BLOCK_SIZE);
        if (blockCrc(chunk) !== crc) throw new DataMissing(`block ${block + i}`);
        continue;
      }
      state.allocator.take(block + i);
      state.mapOwn(this.#used, first + i, block + i, crc);
    }
  }

  #objects(code: number, r: Reader, checkOnly: boolean): void {
    const state = this.#state;
    switch (code) {
      case CHANGE.CREATE_COLLECTION: {
        const [id, name] = [r.u32(), r.str()];
        if (!checkOnly) state.createCollection(name, id);
        return;
      }
      case CHANGE.REMOVE_COLLECTION: {
        const name = r.str();
        if (!checkOnly) state.removeCollection(name);
        return;
      }
      case CHANGE.USE: {
        const [id, key] = [r.u32(), r.str()];
        if (!checkOnly) {
          this.#object = must(state.find(state.collectionById(id), key), "object of a record");
        }
        return;
      }
      case CHANGE.CREATE: {
        const [c, key, id] = [r.u32(), r.str(), r.u64n()];
        if (!checkOnly) this.#object = state.create(state.collectionById(c), key, id);
        return;
      }
      case CHANGE.REMOVE:
        if (!checkOnly) state.remove(this.#used);
        this.#object = undefined;
        return;
      case CHANGE.CLONE: {
        const [key, id] = [r.str(), r.u64n()];
        if (!checkOnly) this.#object = state.clone(this.#used, key, id);
        return;
      }
      case CHANGE.MOVE: {
        const [from, to] = [r.u32(), r.u32()];
        const keys: string[] = [];
        for (let n = r.count(4); n > 0; n--) keys.push(r.str());
        if (checkOnly) return;
        const c = state.collectionById(from);
        const objects = keys.map((key) => must(state.find(c, key), "object of a record"));
        state.move(objects, state.collectionById(to));
        this.#object = undefined;
        return;
      }
      default:
        throw new JournalError(`a record holds an unknown change, ${code}`);
    }
  }

  #names(code: number, r: Reader, checkOnly: boolean): void {
    const state = this.#state;
    const blob = () => r.view(r.u32());
    switch (code) {
      case CHANGE.SET_ATTR: {
        const [name, value] = [r.str(), blob()];
        if (!checkOnly) state.setAttr(this.#used, name, value);
        return;
      }
      case CHANGE.REMOVE_ATTR: {
        const name = r.str();
        if (!checkOnly) state.removeAttr(this.#used, name);
        return;
      }
      case CHANGE.OMAP_SET:
        for (let n = r.count(8); n > 0; n--) {
          const [key, value] = [r.str(), blob()];
          if (!checkOnly) state.omapSet(this.#used, key, value);
        }
        return;
      case CHANGE.OMAP_REMOVE:
        for (let n = r.count(4); n > 0; n--) {
          const key = r.str();
          if (!checkOnly) state.omapRemove(this.#used, key);
        }
        return;
      case CHANGE.OMAP_REMOVE_RANGE: {
        const [from, to] = [r.str(), r.str()];
        if (!checkOnly) state.omapRemoveRange(this.#used, from, to);
        return;
      }
      case CHANGE.OMAP_CLEAR:
        if (!checkOnly) state.omapClear(this.#used);
        return;
      default: {
        const header = new Uint8Array(blob());
        if (!checkOnly) state.setOmapHeader(this.#used, header);
      }
    }
  }
}
