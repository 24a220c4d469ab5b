/**
 * Counts who owns each block while a check walks all objects: what the allocation map claims is held
 * against this.
 *
 * One bit a block says that somebody owns it; numbers are kept only for regions in which a block has more
 * owners than one. So a store without clones costs 32 MiB for each TiB in use.
 */

import { type Allocator, REGION_BLOCKS } from "./allocator.ts";

/** Blocks of one piece of the bitmap. */
const PIECE_BLOCKS = 32 * REGION_BLOCKS;

/** Blocks in a row with which the same is wrong. */
export interface WrongBlocks {
  readonly first: number;
  last: number;
  /** Owners found. */
  readonly owners: number;
  /** Owners by the allocation map. */
  readonly counted: number;
}

export class Owners {
  readonly #bits = new Map<number, Uint32Array>();
  /** Owners beyond the first, by region. */
  readonly #extra = new Map<number, Uint32Array>();

  /** One more owner. True if it is the first. */
  add(block: number): boolean {
    const piece = Math.floor(block / PIECE_BLOCKS);
    let bits = this.#bits.get(piece);
    if (bits === undefined) {
      bits = new Uint32Array(PIECE_BLOCKS / 32);
      this.#bits.set(piece, bits);
    }
    const word = (block % PIECE_BLOCKS) >>> 5;
    const mask = 1 << (block & 31);
    if ((bits[word]! & mask) === 0) {
      bits[word]! |= mask;
      return true;
    }
    const index = Math.floor(block / REGION_BLOCKS);
    let extra = this.#extra.get(index);
    if (extra === undefined) {
      extra = new Uint32Array(REGION_BLOCKS);
      this.#extra.set(index, extra);
    }
    extra[block % REGION_BLOCKS]!++;
    return false;
  }

  count(block: number): number {
    const bits = this.#bits.get(Math.floor(block / PIECE_BLOCKS));
    const word = bits?.[(block % PIECE_BLOCKS) >>> 5] ?? 0;
    if ((word & (1 << (block & 31))) === 0) return 0;
    const extra = this.#extra.get(Math.floor(block / REGION_BLOCKS));
    return 1 + (extra?.[block % REGION_BLOCKS] ?? 0);
  }

  /** Where the map says otherwise, ascending; blocks in a row that are wrong alike come as one. */
  *differences(allocator: Allocator): IterableIterator<WrongBlocks> {
    let run: WrongBlocks | undefined;
    for (let index = 0; index < allocator.regionCount; index++) {
      if (this.#regionMatches(allocator, index)) continue;
      const end = Math.min((index + 1) * REGION_BLOCKS, allocator.blocks);
      for (let block = index * REGION_BLOCKS; block < end; block++) {
        const owners = this.count(block);
        const counted = (allocator.isUsed(block) ? 1 : 0) + allocator.extraRefs(block);
        if (owners === counted) continue;
        if (run?.last === block - 1 && run.owners === owners && run.counted === counted) {
          run.last = block;
          continue;
        }
        if (run !== undefined) yield run;
        run = { first: block, last: block, owners, counted };
      }
    }
    if (run !== undefined) yield run;
  }

  /** Is there nothing to look at in a region? */
  #regionMatches(allocator: Allocator, index: number): boolean {
    const region = allocator.region(index);
    const bits = this.#bits.get(Math.floor((index * REGION_BLOCKS) / PIECE_BLOCKS));
    if (region === undefined && bits === undefined) return true;
    if (region?.refs !== undefined || this.#extra.has(index)) return false;
    const start = ((index * REGION_BLOCKS) % PIECE_BLOCKS) / 32;
    for (let word = 0; word < REGION_BLOCKS / 32; word++) {
      if ((region?.used[word] ?? 0) !== (bits?.[start + word] ?? 0)) return false;
    }
    return true;
  }
}
