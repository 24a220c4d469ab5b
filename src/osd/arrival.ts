/**
 * A request as it has arrived: decoded, with its payload still where it was received.
 *
 * Most requests run within the call that brought them, and need nothing of the receive ring afterwards: data
 * of less than 64 KiB is a view of it. Those that have to wait first are kept. Bulk data has memory
 * of its own, which is this request's until it is over.
 */

import { MOSDOp } from "../messages/index.ts";
import { BULK_BYTES_MIN, type Connection } from "../messenger/index.ts";
import type { IncomingMessage } from "../types/index.ts";
import type { ObjectCopy } from "./ops/copy.ts";
import { bulkReadBytes } from "./request.ts";

const NO_SUMS: readonly number[] = [];

export class Arrival {
  readonly connection: Connection;
  readonly tid: number;
  /** The payload. */
  readonly data: Uint8Array;
  /** Bytes its reads may give, if they are many. */
  readonly readBytes: number;
  /** Sources of its copies that have been read, by the number of the op. */
  copies: Map<number, ObjectCopy> | undefined;
  /** When it came, on the monotonic clock; undefined: nobody wants to know. */
  readonly since: number | undefined;
  readonly #incoming: IncomingMessage;
  #message: MOSDOp;
  #isKept = false;

  /** @throws DecodeError */
  constructor(connection: Connection, incoming: IncomingMessage, since?: number) {
    this.since = since;
    this.connection = connection;
    this.tid = incoming.tid;
    this.data = incoming.data;
    this.#incoming = {
      type: incoming.type,
      version: incoming.version,
      compatVersion: incoming.compatVersion,
      priority: incoming.priority,
      seq: incoming.seq,
      tid: incoming.tid,
      // The reply repeats the ops' arguments, and may leave much later.
      front: Buffer.from(incoming.front),
      middle: incoming.middle,
      data: incoming.data,
      sums: incoming.sums ?? NO_SUMS,
    };
    this.#message = MOSDOp.decode(this.#incoming);
    this.readBytes = bulkReadBytes(this.#message);
  }

  get message(): MOSDOp {
    return this.#message;
  }

  keepCopy(index: number, copy: ObjectCopy): void {
    this.copies ??= new Map();
    this.copies.set(index, copy);
  }

  /** It does not run at once: nothing of it may lie in the receive ring any more. */
  keep(): void {
    if (this.#isKept || this.data.length >= BULK_BYTES_MIN) return;
    this.#isKept = true;
    this.#message = MOSDOp.decode({ ...this.#incoming, data: Buffer.from(this.data) });
  }
}
