/**
 * What the monitor must not forget: one object per service in the collection `mon`, its state in the omap.
 *
 * `commit` resolves only when the store says that the changes are on stable storage: nothing is published
 * to anybody, and no command answered, before that. Changes of one commit land together or not at all.
 * Trimming and numbering are the services' own business.
 * ceph: src/mon/MonitorDBStore.h
 */

import { byteStringOf, bytesOf } from "../encoding/index.ts";
import type { ObjectStore, StoreOp } from "../store/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP } from "../types/index.ts";

const COLLECTION = "mon";

/** The objects there are. */
export type ServiceName = "osdmap" | "auth" | "config" | "config-key" | "logm" | "monitor";

export interface Change {
  readonly service: ServiceName;
  /** A byte string. */
  readonly key: string;
  /** undefined removes the key. */
  readonly value: Uint8Array | undefined;
}

/** The change that stores some text. */
export function put(service: ServiceName, key: string, text: string): Change {
  return { service, key, value: Buffer.from(text, "utf8") };
}

export function remove(service: ServiceName, key: string): Change {
  return { service, key, value: undefined };
}

function objectOf(service: ServiceName): HObject {
  return { ...HOBJECT_MIN, oid: service, snap: NOSNAP, pool: -1n };
}

export class MonStore {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
    if (!store.hasCollection(COLLECTION)) {
      store.submit({
        collection: COLLECTION,
        ops: [{ op: "create-collection", collection: COLLECTION }],
      });
    }
  }

  get(service: ServiceName, key: string): Uint8Array | undefined {
    const object = objectOf(service);
    if (this.#store.stat(COLLECTION, object) === undefined) return undefined;
    return this.#store.omapGet(COLLECTION, object, key);
  }

  text(service: ServiceName, key: string): string | undefined {
    const value = this.get(service, key);
    return value === undefined ? undefined : Buffer.from(value).toString("utf8");
  }

  /** Entries in byte order of their keys. */
  *entries(service: ServiceName, after?: string): Iterable<[string, Uint8Array]> {
    const object = objectOf(service);
    if (this.#store.stat(COLLECTION, object) === undefined) return;
    yield* this.#store.omapEntries(COLLECTION, object, after);
  }

  /** Resolves when the changes are durable; rejects when the disk has failed. */
  async commit(changes: readonly Change[]): Promise<void> {
    const ops: StoreOp[] = [];
    for (const { service, key, value } of changes) {
      const object = objectOf(service);
      ops.push(
        value === undefined
          ? { op: "omap-remove", object, keys: [key] }
          : { op: "omap-set", object, entries: [[key, value]] },
      );
    }
    if (ops.length === 0) return;
    // A key may be removed from an object that nothing was ever put into.
    const touched = new Set(changes.map((change) => change.service));
    const touches: StoreOp[] = [...touched].map((name) => ({
      op: "touch",
      object: objectOf(name),
    }));
    this.#store.submit({ collection: COLLECTION, ops: [...touches, ...ops] });
    await this.#store.flush();
  }

  /** What is available of the file system that it lies on, in per cent, rounded down. */
  get availablePercent(): number {
    const { total, available } = this.#store.statfs().fileSystem;
    return Math.floor((available * 100) / total);
  }

  /** Puts the store's index in order. */
  compact(): Promise<void> {
    return this.#store.compact();
  }
}

/** Keys that sort by number. */
export function numberKey(prefix: string, n: number): string {
  return `${prefix}${n.toString(16).padStart(12, "0")}`;
}

/** A user's text as a key, and back. */
export const keyOf = (text: string): string => byteStringOf(Buffer.from(text, "utf8"));
export const textOfKey = (key: string): string => bytesOf(key).toString("utf8");
