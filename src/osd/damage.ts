/**
 * Objects that did not read as they were written: what makes a PG `inconsistent` and the cluster unwell.
 *
 * The rule. An object is listed from the read that failed until it is gone or all of it reads as written.
 * That is looked at when the object has been written to since the last look, and once after a start. A
 * read of another part that goes well proves nothing, and a restart forgets nothing: the list is in the
 * omap of the PG's own object, under `damaged.<object, as the store orders it>`, with the object as value.
 *
 * Damage of the store's index has no object to look at again; it stays until the OSD is restarted.
 * ceph: src/osd/PG.cc PG_STATE_INCONSISTENT, num_scrub_errors
 */

import type { Clock, Logger } from "../base/index.ts";
import { type BufferList, bytesEqual, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  type CollectionId,
  CorruptionError,
  formatObject,
  type ObjectStore,
  objectKey,
  type StoreOp,
} from "../store/index.ts";
import { HObject, NOSNAP } from "../types/index.ts";
import { INFO_ATTR } from "./object-info.ts";

const PREFIX = "damaged.";

/** The key in the omap of the PG's own object. */
export function damagedKey(object: HObject): string {
  return PREFIX + objectKey(object);
}
/** Objects listed, of all PGs together: an OSD with more is past listing. */
const OBJECTS_MAX = 1000;
/** Bytes read at a time when an object is looked at again. */
const LOOK_BYTES = 1 << 20;

/** What is needed of a PG. */
interface Place {
  readonly collection: CollectionId;
  /** The PG's own object. */
  readonly meta: HObject;
}

interface Damaged {
  readonly place: Place;
  /** Undefined: it is the index that is damaged. */
  readonly object: HObject | undefined;
  /** The object's info when it was last looked at: every write changes it. */
  seen: Uint8Array | undefined;
}

export interface DamageHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** What a read has given may be used again. */
  readonly recycle: (list: BufferList) => void;
  /** The list is not what it was. */
  changed(): void;
}

export class Damage {
  readonly #host: DamageHost;
  /** By collection, then by the object's name in words. */
  readonly #pgs = new Map<CollectionId, Map<string, Damaged>>();
  #count = 0;
  #looking = false;
  #stopped = false;

  constructor(host: DamageHost) {
    this.#host = host;
  }

  /** Names of what is damaged in a PG. */
  of({ collection }: Place): readonly string[] {
    return [...(this.#pgs.get(collection)?.keys() ?? [])];
  }

  /** Takes up what was known of a PG before the restart. */
  load(place: Place): void {
    const { store } = this.#host;
    try {
      for (const [key, value] of store.omapEntries(place.collection, place.meta, PREFIX)) {
        if (!key.startsWith(PREFIX)) break;
        const object = decodeFromBytes(HObject, value);
        this.#add(formatObject(object), { place, object, seen: undefined });
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#add(error.object, { place, object: undefined, seen: undefined });
    }
  }

  /** The PG is going away. */
  forget({ collection }: Place): void {
    this.#count -= this.#pgs.get(collection)?.size ?? 0;
    this.#pgs.delete(collection);
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * A read has failed.
   * @param head the object that the request was about: what is damaged is it, or a clone of it
   * @returns whether that is news
   */
  found(place: Place, head: HObject, error: CorruptionError): boolean {
    const { collection } = place;
    if (this.#pgs.get(collection)?.has(error.object) === true) return false;
    const object = damagedObject(head, error.object);
    const seen = object === undefined ? undefined : this.#info(collection, object);
    if (!this.#add(error.object, { place, object, seen })) return false;
    if (object !== undefined) {
      const entries = [[damagedKey(object), encodeToBytes(HObject, object)]] as const;
      this.#submit(collection, { op: "omap-set", object: place.meta, entries });
    }
    this.#host.changed();
    return true;
  }

  #add(name: string, damaged: Damaged): boolean {
    if (this.#count >= OBJECTS_MAX) return false;
    const { collection } = damaged.place;
    let names = this.#pgs.get(collection);
    if (names === undefined) {
      names = new Map();
      this.#pgs.set(collection, names);
    }
    if (names.has(name)) return false;
    names.set(name, damaged);
    this.#count++;
    return true;
  }

  /** Looks again at what has been written to. Called now and then; one look at a time. */
  review(): void {
    if (this.#looking || this.#stopped) return;
    for (const names of this.#pgs.values()) {
      for (const [name, damaged] of names) {
        const { place, object } = damaged;
        if (object === undefined) continue;
        const info = this.#info(place.collection, object);
        if (info === undefined) {
          this.#heal(name, damaged, object, "gone");
        } else if (damaged.seen === undefined || !bytesEqual(damaged.seen, info)) {
          damaged.seen = info;
          void this.#look(name, damaged, object);
          return;
        }
      }
    }
  }

  /** The object's info; undefined if there is no object. What the index cannot tell has not changed. */
  #info(collection: CollectionId, object: HObject): Uint8Array | undefined {
    try {
      return this.#host.store.getAttr(collection, object, INFO_ATTR);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return this.#pgs.get(collection)?.get(formatObject(object))?.seen;
    }
  }

  async #look(name: string, damaged: Damaged, object: HObject): Promise<void> {
    this.#looking = true;
    try {
      if (await this.#readsWell(damaged.place.collection, object)) {
        this.#heal(name, damaged, object, "reads well");
      }
    } catch (error) {
      // A store that is failing tells its owner itself.
      this.#host.log.warn("a damaged object was not looked at", { why: (error as Error).message });
    } finally {
      this.#looking = false;
    }
  }

  async #readsWell(collection: CollectionId, object: HObject): Promise<boolean> {
    const { store, clock, recycle } = this.#host;
    const size = store.stat(collection, object)?.size ?? 0;
    for (const [start, length] of store.extents(collection, object, 0, size)) {
      for (let at = start; at < start + length; at += LOOK_BYTES) {
        await new Promise<void>((resolve) => clock.defer(resolve));
        if (this.#stopped) return false;
        try {
          const bytes = Math.min(LOOK_BYTES, start + length - at);
          recycle(await store.read(collection, object, at, bytes));
        } catch (error) {
          if (!(error instanceof CorruptionError)) throw error;
          return false;
        }
      }
    }
    return true;
  }

  #heal(name: string, damaged: Damaged, object: HObject, why: string): void {
    const { collection, meta } = damaged.place;
    const names = this.#pgs.get(collection);
    // The PG may be gone, and the object listed anew.
    if (names?.get(name) !== damaged) return;
    names.delete(name);
    this.#count--;
    this.#submit(collection, {
      op: "omap-remove",
      object: meta,
      keys: [damagedKey(object)],
    });
    this.#host.log.info("a damaged object is damaged no more", { object: name, why });
    this.#host.changed();
  }

  #submit(collection: CollectionId, op: StoreOp): void {
    try {
      this.#host.store.submit({ collection, ops: [op] });
    } catch (error) {
      // The list in memory is right; a store that takes nothing any more has told its owner.
      this.#host.log.warn("damage not recorded", { why: (error as Error).message });
    }
  }
}

/** The object that an error names, by the head of the request that met it. */
function damagedObject(head: HObject, name: string): HObject | undefined {
  const snap = name.slice(name.lastIndexOf(":") + 1);
  if (!/^(head|[0-9a-f]{1,16})$/.test(snap)) return undefined;
  const object = { ...head, snap: snap === "head" ? NOSNAP : BigInt(`0x${snap}`) };
  return formatObject(object) === name ? object : undefined;
}
