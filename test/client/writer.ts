/**
 * A client's writes to many objects, checked one by one: each appends a record with the object's name and the
 * record's number, several on their way at a time and to the same object. An append that is lost, done twice
 * or done out of order shows in what the object holds.
 *
 * Reads go along with them, and have to show a beginning of the records that has at least those acknowledged
 * before the read was asked for.
 */
import { CephError } from "../../src/base/index.ts";
import { opAppend, opRead } from "../../src/messages/index.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import type { Dice } from "../harness/dice.ts";

export interface WriterOptions {
  readonly io: IoCtx;
  readonly dice: Dice;
  /** Tells this writer's objects from others'. */
  readonly name: string;
  readonly objects: number;
  /** Of a record, in bytes. @default 32 */
  readonly recordBytes?: number;
  /** On their way at a time. */
  readonly depth: number;
}

interface Written {
  readonly oid: string;
  issued: number;
  acknowledged: number;
}

/** Of requests, one is a read. */
const READ_CHANCE = 0.05;
/** Pause between a slot's requests once there are enough of them, milliseconds: there is always something on its way. */
const IDLE_MS = 20;

export class Writer {
  readonly #options: WriterOptions;
  readonly #recordBytes: number;
  readonly #objects: Written[];
  #isStopping = false;
  #failure: unknown;
  #slots: Promise<void>[] = [];
  #enough = 0;
  writes = 0;
  reads = 0;
  /** Of the slowest request, since the last `start`. */
  slowestMs = 0;

  constructor(options: WriterOptions) {
    const { name, objects, recordBytes = 32 } = options;
    this.#options = options;
    this.#recordBytes = recordBytes;
    this.#objects = Array.from({ length: objects }, (_, i) => {
      return { oid: `${name}.${i}`, issued: 0, acknowledged: 0 };
    });
  }

  /** One record for each object: from then on all are there. */
  async prepare(): Promise<void> {
    await Promise.all(this.#objects.map((object) => this.#append(object)));
  }

  /** @param enough writes at full speed; then it goes on slowly */
  start(enough: number): void {
    this.#isStopping = false;
    this.#enough = this.writes + enough;
    this.slowestMs = 0;
    this.#slots = Array.from({ length: this.#options.depth }, () => this.#slot());
  }

  get hasEnough(): boolean {
    return this.writes >= this.#enough;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** What went wrong, as soon as it has. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all that is on its way has been answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#slots);
    this.throwIfFailed();
  }

  async #slot(): Promise<void> {
    const { dice } = this.#options;
    while (!this.#isStopping && this.#failure === undefined) {
      const object = this.#objects[dice.below(this.#objects.length)]!;
      const startMs = performance.now();
      try {
        if (dice.chance(READ_CHANCE)) await this.#read(object);
        else await this.#append(object);
      } catch (error) {
        this.#failure ??= error;
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs);
      if (this.hasEnough) {
        await new Promise((resolve) => {
          setTimeout(resolve, IDLE_MS);
        });
      }
    }
  }

  async #append(object: Written): Promise<void> {
    const record = this.#record(object, object.issued++);
    await this.#options.io.write(object.oid, [opAppend(record)]);
    object.acknowledged++;
    this.writes++;
  }

  async #read(object: Written): Promise<void> {
    const { acknowledged } = object;
    const data = await this.#contents(object);
    this.#check(object, data);
    const records = data.length / this.#recordBytes;
    if (records < acknowledged) {
      throw new Error(`${object.oid}: read ${records} records, ${acknowledged} were acknowledged`);
    }
    this.reads++;
  }

  /** All records, each once and in order. @returns how many objects and records were looked at */
  async verify(): Promise<{ objects: number; records: number }> {
    let records = 0;
    for (const object of this.#objects) {
      const data = await this.#contents(object);
      this.#check(object, data);
      const found = data.length / this.#recordBytes;
      if (found !== object.issued) {
        throw new Error(`${object.oid}: has ${found} records, ${object.issued} were written`);
      }
      records += found;
    }
    return { objects: this.#objects.length, records };
  }

  /**
   * Of a writer that was shut out: what it holds is a beginning of what was issued that has all acknowledged.
   * @param io another client's
   */
  async verifyPrefix(io: IoCtx): Promise<void> {
    for (const object of this.#objects) {
      const data = await this.#contents(object, io);
      this.#check(object, data);
      const found = data.length / this.#recordBytes;
      if (found < object.acknowledged) {
        throw new Error(`${object.oid}: has ${found}, ${object.acknowledged} were acknowledged`);
      }
    }
  }

  async #contents({ oid }: Written, io: IoCtx = this.#options.io): Promise<Buffer> {
    try {
      const { ops } = await io.read(oid, [opRead(0, 0)]);
      return Buffer.from(ops[0]!.data);
    } catch (error) {
      if (error instanceof CephError && error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    }
  }

  #record({ oid }: Written, number: number): Buffer {
    return Buffer.from(`${oid}:${number}\n`.padEnd(this.#recordBytes, "."));
  }

  #check(object: Written, data: Buffer): void {
    const size = this.#recordBytes;
    if (data.length % size !== 0)
      throw new Error(`${object.oid}: ${data.length} bytes, no whole records`);
    for (let at = 0, number = 0; at < data.length; at += size, number++) {
      const found = data.subarray(at, at + size);
      const expected = this.#record(object, number);
      if (!found.equals(expected)) {
        throw new Error(
          `${object.oid}: record ${number} is ${JSON.stringify(found.toString().slice(0, 60))}`,
        );
      }
    }
  }
}
