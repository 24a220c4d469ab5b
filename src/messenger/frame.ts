/**
 * Turns the byte stream of a link into frames: banner first, then frame after frame.
 *
 * Bytes arrive in a ring, where small frames are opened in place. A part of 64 KiB or more gets a buffer
 * of its own at which the receiver is aimed, so that a large payload is put where it stays by the system
 * call that reads it. The parser's state changes only inside `received`: the target it gave out
 * is always the one the next bytes are in.
 *
 * Views handed to the handler are good only during the call, except a message's data, which has memory of
 * its own: with a `DataMemory` only if it is 64 KiB or more, the handler's from then on, to be given back.
 * Where that has none free the parser stalls: nothing is to be received until `goOn`.
 * ceph: src/msg/async/ProtocolV2.cc (read_frame and after)
 */

import { DecodeError, EMPTY } from "../encoding/index.ts";
import { BANNER_HEAD_SIZE, readBanner, readBannerHead } from "./banner.ts";
import { crcOnWire } from "./crc-on-wire.ts";
import { BULK_BYTES_MIN, RING_BYTES_MAX, RING_BYTES_MIN, WHOLE_BYTES_MAX } from "./limits.ts";
import type { OnWire } from "./on-wire.ts";
import { createPreamble, TAG, tagName } from "./preamble.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface FrameHandler {
  /** The peer's banner; `raw` is all of its bytes. */
  onBanner(features: { supported: bigint; required: bigint }, raw: Buffer): void;
  /** A control frame; `raw` is all of its bytes, still sealed. */
  onControl(tag: number, payload: Buffer, raw: Buffer): void;
  /**
   * A message; its header is the 41 bytes of `bytes` at `headerAt`.
   * @param sums crc32c (seed 0) of each whole 4 KiB of the data, where the mode has them
   */
  onMessageFrame(
    bytes: Buffer,
    headerAt: number,
    front: Buffer,
    middle: Buffer,
    data: Uint8Array,
    sums: readonly number[],
  ): void;
}

/** Where payloads of 64 KiB and more are received. Each has one owner at a time, who gives it back. */
export interface DataMemory {
  /** Undefined: there is none at the moment; `whenFree` tells of the next chance. */
  take(length: number): Uint8Array | undefined;
  /** For one who has waited: never refused. */
  takeOrMake(length: number): Uint8Array;
  whenFree(length: number, ready: () => void): void;
  /** Memory that came from elsewhere is left alone. */
  give(bytes: Uint8Array): void;
}

const ownMemory: DataMemory = {
  take: (length) => Buffer.allocUnsafeSlow(length),
  takeOrMake: (length) => Buffer.allocUnsafeSlow(length),
  whenFree: (_length, ready) => ready(),
  give: () => {},
};

type Step = "banner-head" | "banner" | "head" | "whole" | "parts";

const NO_BYTES = Buffer.from(EMPTY.buffer, 0, 0);

export class FrameParser {
  /** Of the next frame on. May be changed by the handler of a frame. */
  onWire: OnWire = crcOnWire;
  /** Messages are refused by their preamble until a session is established. */
  messagesAllowed = false;
  readonly #handler: FrameHandler;
  readonly #memory: DataMemory;
  #stopped = false;
  #step: Step = "banner-head";
  #ring: Buffer = Buffer.allocUnsafeSlow(RING_BYTES_MIN);
  #start = 0;
  #end = 0;
  /** Bytes that must be contiguous from `#start` before parsing can go on. */
  #need = BANNER_HEAD_SIZE;
  readonly #preamble = createPreamble();
  /** Parts of a large frame: rest of segment 0, the other segments, tail. */
  #parts: Buffer[] = [];
  /** The part being received directly, and how far it is filled. */
  #direct: Buffer | undefined;
  #directAt = 0;
  /** What the target given out last lies in; undefined: the ring. */
  #aimedAt: Buffer | undefined;
  /** Payload memory that is ours until the frame is handed on. */
  #data: Uint8Array | undefined;
  /** Bytes of payload memory that we wait for; 0: we do not. */
  #wanted = 0;

  constructor(handler: FrameHandler, memory: DataMemory = ownMemory) {
    this.#handler = handler;
    this.#memory = memory;
  }

  /** Nothing more is handed to the handler. */
  stop(): void {
    this.#stopped = true;
    this.#dropData();
    this.#direct = undefined;
    this.#start = 0;
    this.#end = 0;
  }

  /** Waits for memory; `goOn` when it may be there. */
  get isStalled(): boolean {
    return this.#wanted > 0;
  }

  /** Calls `ready` when the memory that a stalled parser waits for may be there. */
  whenReady(ready: () => void): void {
    this.#memory.whenFree(this.#wanted, ready);
  }

  /** Takes what it has waited for, and opens what has been received meanwhile. @throws as `received` */
  goOn(): void {
    if (this.#stopped) return;
    this.#data = this.#memory.takeOrMake(this.#wanted);
    this.#wanted = 0;
    while (!this.#stopped && this.#advance());
  }

  #dropData(): void {
    if (this.#data !== undefined) this.#memory.give(this.#data);
    this.#data = undefined;
  }

  /** Where the next bytes go; never empty. */
  target(): Uint8Array {
    this.#aimedAt = this.#direct;
    if (this.#direct !== undefined) return this.#direct.subarray(this.#directAt);
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    const size = this.#ring.length;
    if (size - this.#start < this.#need || this.#end === size) this.#makeRoom();
    return this.#ring.subarray(this.#end);
  }

  /**
   * `count` bytes are in the target.
   * @throws DecodeError, ProtocolError: the link is to be closed
   */
  received(count: number): void {
    if (this.#stopped) return;
    if (this.#aimedAt !== undefined) {
      this.#directAt += count;
      if (!this.#directDone()) return;
    } else {
      this.#end += count;
      // Aimed before a stall ended: what belongs to the part is moved there.
      if (this.#direct !== undefined && !this.#moveToDirect()) return;
      // A peer that fills the whole ring at once sends in bulk.
      if (this.#end === this.#ring.length && this.messagesAllowed) this.#grow(this.#end * 2);
    }
    while (!this.#stopped && this.#advance());
  }

  get #available(): number {
    return this.#end - this.#start;
  }

  /** True once the part being received directly is complete. */
  #directDone(): boolean {
    const part = this.#direct!;
    if (this.#directAt < part.length) return false;
    this.#parts.push(part);
    this.#direct = undefined;
    return true;
  }

  /** From the ring to the part that is received directly; true once that is complete. */
  #moveToDirect(): boolean {
    const part = this.#direct!;
    const count = Math.min(this.#available, part.length - this.#directAt);
    this.#ring.copy(part, this.#directAt, this.#start, this.#start + count);
    this.#start += count;
    this.#directAt += count;
    return this.#directDone();
  }

  /** Moves what is left to the start of the ring, of a larger one if it must hold more. */
  #makeRoom(): void {
    this.#grow(this.#need);
    if (this.#start > 0) {
      this.#ring.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#ring.length) this.#grow(this.#ring.length * 2);
  }

  #grow(need: number): void {
    let size = this.#ring.length;
    while (size < need && size < RING_BYTES_MAX) size *= 2;
    if (size === this.#ring.length) return;
    const grown = Buffer.allocUnsafeSlow(size);
    this.#ring.copy(grown, 0, this.#start, this.#end);
    this.#ring = grown;
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** One step if the bytes for it are here. */
  #advance(): boolean {
    switch (this.#step) {
      case "banner-head":
      case "banner":
        return this.#readBanner();
      case "head":
        return this.#readHead();
      case "whole":
        return this.#readWhole();
      case "parts":
        return this.#readPart();
    }
  }

  #readBanner(): boolean {
    const head = this.#ring.subarray(this.#start, this.#end);
    const size = BANNER_HEAD_SIZE + readBannerHead(head);
    if (head.length < size) {
      this.#need = size;
      return false;
    }
    const raw = head.subarray(0, size);
    this.#start += size;
    this.#nextFrame();
    this.#handler.onBanner(readBanner(raw.subarray(BANNER_HEAD_SIZE)), raw);
    return true;
  }

  #nextFrame(): void {
    this.#step = "head";
    this.#need = this.onWire.headSize;
    if (this.#parts.length > 0) this.#parts = [];
  }

  #readHead(): boolean {
    const wire = this.onWire;
    this.#need = wire.headSize;
    if (this.#available < wire.headSize) return false;
    const preamble = this.#preamble;
    wire.openHead(this.#ring, this.#start, preamble);
    if (preamble.tag === TAG.MESSAGE && !this.messagesAllowed) {
      throw new ProtocolError(`${tagName(preamble.tag)} before a session is established`);
    }
    let body = 0;
    for (let i = 0; i < this.#partCount; i++) body += this.#partSize(i);
    if (body <= WHOLE_BYTES_MAX && preamble.lengths[3]! < BULK_BYTES_MIN) {
      this.#step = "whole";
      this.#need = wire.headSize + body;
    } else {
      this.#step = "parts";
      this.#start += wire.headSize;
    }
    return true;
  }

  /** Parts after the head: segment 0, and with more segments those and the tail. */
  get #partCount(): number {
    return this.#preamble.count === 1 ? 1 : this.#preamble.count + 1;
  }

  #partSize(index: number): number {
    const { count, lengths } = this.#preamble;
    if (index === 0) return this.onWire.firstSize(lengths[0]!);
    return index < count ? this.onWire.segmentSize(lengths[index]!) : this.onWire.tailSize;
  }

  /** A frame that lies in the ring from head to tail. */
  #readWhole(): boolean {
    const size = this.#need;
    if (this.#available < size) return false;
    if (this.onWire.checkInPlace !== undefined) {
      this.#openInPlace(size);
      return true;
    }
    const raw = this.#ring.subarray(this.#start, this.#start + size);
    let at = this.onWire.headSize;
    const parts: Buffer[] = [];
    for (let i = 0; i < this.#partCount; i++) {
      const partSize = this.#partSize(i);
      parts.push(raw.subarray(at, at + partSize));
      at += partSize;
    }
    this.#start += size;
    this.#open(parts, raw);
    return true;
  }

  /** The same without a view for every part: what most frames of the crc mode take. */
  #openInPlace(size: number): void {
    const wire = this.onWire;
    const ring = this.#ring;
    const { tag, count, lengths } = this.#preamble;
    const start = this.#start;
    const sums: number[] = [];
    const complete = wire.checkInPlace!(ring, start, this.#preamble, sums);
    this.#start += size;
    this.#nextFrame();
    if (!complete) return;
    const first = start + wire.headSize;
    if (tag !== TAG.MESSAGE) {
      const raw = ring.subarray(start, start + size);
      this.#handler.onControl(tag, ring.subarray(first, first + lengths[0]!), raw);
      return;
    }
    let at = first + wire.firstSize(lengths[0]!);
    const next = (segment: number): Buffer => {
      const length = lengths[segment]!;
      if (segment >= count || length === 0) return NO_BYTES;
      at += length;
      return ring.subarray(at - length, at);
    };
    const front = next(1);
    const middle = next(2);
    const length = lengths[3]!;
    if (length === 0) {
      this.#handler.onMessageFrame(ring, first, front, middle, NO_BYTES, sums);
      return;
    }
    const data = ring.subarray(at, at + length);
    // Who has memory for bulk data knows what to keep of the rest.
    const isView = this.#memory !== ownMemory;
    const kept = isView ? data : Buffer.from(data);
    this.#handler.onMessageFrame(ring, first, front, middle, kept, sums);
  }

  /** The next part of a large frame: a large part directly, a small one through the ring. */
  #readPart(): boolean {
    const index = this.#parts.length;
    if (index === this.#partCount) {
      this.#open(this.#parts, undefined);
      return true;
    }
    const size = this.#partSize(index);
    if (size < BULK_BYTES_MIN) {
      this.#need = size;
      if (this.#available < size) return false;
      this.#parts.push(Buffer.from(this.#ring.subarray(this.#start, this.#start + size)));
      this.#start += size;
      return true;
    }
    const bytes = index === 3 ? this.#takeData(size) : Buffer.allocUnsafeSlow(size);
    if (bytes === undefined) return false;
    this.#direct = Buffer.from(bytes.buffer, bytes.byteOffset, size);
    this.#directAt = 0;
    return this.#moveToDirect();
  }

  /** Memory for the payload; undefined: the parser has stalled. */
  #takeData(size: number): Uint8Array | undefined {
    this.#data ??= this.#memory.take(size);
    if (this.#data === undefined) this.#wanted = size;
    return this.#data;
  }

  /** Checks a complete frame and hands it on. `raw` is given if it lies in the ring. */
  #open(parts: Buffer[], raw: Buffer | undefined): void {
    const { tag, count, lengths } = this.#preamble;
    const wire = this.onWire;
    const first = wire.openFirst(parts[0]!, lengths[0]!);
    const rest = parts.slice(1, count);
    const sums: number[] = [];
    const complete = count === 1 || wire.openRest(rest, lengths, parts[count]!, sums);
    this.#nextFrame();
    if (!complete) return this.#dropData();
    if (tag !== TAG.MESSAGE) {
      if (raw === undefined) throw new DecodeError("control frame", 0, "larger than the ring");
      this.#handler.onControl(tag, first, raw);
      return;
    }
    const [front = NO_BYTES, middle = NO_BYTES, data = NO_BYTES] = rest;
    const owned = raw === undefined || data.length === 0 ? data : Buffer.from(data);
    // A mode that opens into memory of its own leaves ours to be given back.
    if (owned.buffer !== this.#data?.buffer) this.#dropData();
    this.#data = undefined;
    this.#handler.onMessageFrame(first, 0, front, middle, owned, sums);
  }
}
