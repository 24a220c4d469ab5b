/**
 * Ranges of objects that an OSD has asked us to hold our requests for, by session.
 * ceph: src/osdc/Objecter.cc handle_osd_backoff
 */

import { type PgKey, pgKey } from "../maps/index.ts";
import { BACKOFF_OP, MOSDBackoff } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { compareHObject, type HObject, type PgId } from "../types/index.ts";

interface Range {
  readonly pg: PgKey;
  readonly begin: HObject;
  readonly end: HObject;
}

function contains(range: Range, object: HObject): boolean {
  const fromBegin = compareHObject(object, range.begin);
  if (compareHObject(range.begin, range.end) === 0) return fromBegin === 0;
  return fromBegin >= 0 && compareHObject(object, range.end) < 0;
}

export class Backoffs {
  readonly #ranges = new Map<bigint, Range>();

  /**
   * Takes the OSD's word and acknowledges it.
   * @returns what was done: requests in the range wait now, or may go again
   */
  handle(connection: Connection, message: MOSDBackoff): "block" | "unblock" {
    if (message.op !== BACKOFF_OP.BLOCK) {
      this.#ranges.delete(message.id);
      return "unblock";
    }
    const { begin, end, pgid } = message;
    this.#ranges.set(message.id, { pg: pgKey(pgid.pgid), begin, end });
    connection.send(MOSDBackoff.encode({ ...message, op: BACKOFF_OP.ACK_BLOCK }));
    return "block";
  }

  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }

  blocks(pg: PgId, object: HObject): boolean {
    const key = pgKey(pg);
    for (const range of this.#ranges.values()) {
      if (range.pg === key && contains(range, object)) return true;
    }
    return false;
  }
}
