/**
 * The OSD maps an OSD holds: the newest one decoded, and the encodings of the last epochs to bring
 * clients up to date with.
 * ceph: src/osd/OSD.cc handle_osd_map, src/osd/OSDMapService
 */

import { assert } from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import { applyIncremental, OsdMap, OsdMapIncremental } from "../maps/index.ts";
import { MOSDMap } from "../messages/index.ts";
import type { OutgoingMessage } from "../types/index.ts";

/** Epochs kept for clients that come with an old map. */
const HISTORY_MAX = 500;
/** Epochs in one message.  ceph: osd_map_message_max */
const MESSAGE_EPOCHS_MAX = 40;

export class OsdMaps {
  #current: OsdMap;
  #full: Uint8Array;
  readonly #incrementals = new Map<number, Uint8Array>();

  constructor(full: Uint8Array) {
    this.#full = full;
    this.#current = decodeFromBytes(OsdMap, full);
  }

  get current(): OsdMap {
    return this.#current;
  }

  get epoch(): number {
    return this.#current.epoch;
  }

  /** Takes the next epoch. Epochs already here are ignored. */
  advance(incremental: Uint8Array, full: Uint8Array): boolean {
    const decoded = decodeFromBytes(OsdMapIncremental, incremental);
    if (decoded.epoch <= this.epoch) return false;
    assert(decoded.epoch === this.epoch + 1, `map ${decoded.epoch} after ${this.epoch}`);
    this.#current = applyIncremental(this.#current, decoded);
    this.#full = full;
    this.#incrementals.set(decoded.epoch, incremental);
    this.#incrementals.delete(decoded.epoch - HISTORY_MAX);
    return true;
  }

  /** What a client at `epoch` lacks; undefined if nothing. */
  messageSince(epoch: number): OutgoingMessage | undefined {
    if (epoch >= this.epoch) return undefined;
    const incrementals = new Map<number, Uint8Array>();
    const from = epoch + 1;
    const reachable = this.epoch - epoch <= MESSAGE_EPOCHS_MAX && this.#incrementals.has(from);
    if (reachable) {
      for (let e = from; e <= this.epoch; e++) {
        const bytes = this.#incrementals.get(e);
        assert(bytes !== undefined, `no incremental ${e}`);
        incrementals.set(e, bytes);
      }
    }
    return MOSDMap.encode({
      fsid: this.#current.fsid,
      incrementals,
      maps: reachable ? new Map() : new Map([[this.epoch, this.#full]]),
      oldest: reachable ? from : this.epoch,
      newest: this.epoch,
    });
  }
}
