/**
 * The OSD's half of a store check: what it keeps with every object agrees with what the store has.
 *
 * Objects come in the order of listings, so the clones of an object come right before its head, whose
 * snapshot set must name exactly them. Works offline, on the store's own view.
 * ceph: src/osd/PrimaryLogPG.cc scrub_snapshot_metadata
 */

import { type Codec, DecodeError, decodeFromBytes } from "../encoding/index.ts";
import { formatObject, type ObjectCheck, type ObjectSeen } from "../store/index.ts";
import { type HObject, NOSNAP, SnapSet } from "../types/index.ts";
import { INFO_ATTR, ObjectInfo, SNAPSET_ATTR } from "./object-info.ts";

/** Collections of PGs; a service's own have other names and no object infos. */
const PG = /^\d+\.[0-9a-f]+$/;

function isSameObject(a: HObject, b: HObject): boolean {
  return (
    a.oid === b.oid &&
    a.nspace === b.nspace &&
    a.key === b.key &&
    a.hash === b.hash &&
    a.pool === b.pool
  );
}

export class ObjectInfoCheck implements ObjectCheck {
  /** Clones that wait for their head. */
  #clones: ObjectSeen[] = [];

  object(seen: ObjectSeen): string[] {
    const lines: string[] = [];
    const [waiting] = this.#clones;
    const isNext =
      waiting !== undefined &&
      (waiting.collection !== seen.collection || !isSameObject(waiting.object, seen.object));
    if (isNext) lines.push(...this.end());
    // The PG's own object has a name like no client's.
    if (!PG.test(seen.collection) || seen.object.oid === "") return lines;
    const fault = (what: string, object = seen.object) =>
      lines.push(`${seen.collection} ${formatObject(object)}: ${what}`);
    const info = this.#decode(seen, INFO_ATTR, ObjectInfo, fault);
    if (info !== undefined && info.size !== seen.size) {
      fault(`${seen.size} bytes, its info says ${info.size}`);
    }
    if (seen.object.snap === NOSNAP) this.#head(seen, fault);
    else this.#clones.push({ ...seen, attrs: new Map() });
    return lines;
  }

  #head(head: ObjectSeen, fault: (what: string, object?: HObject) => void): void {
    const clones = this.#clones;
    this.#clones = [];
    const snapset = this.#decode(head, SNAPSET_ATTR, SnapSet, fault);
    if (snapset === undefined) return;
    const found = new Map(clones.map((clone) => [clone.object.snap, clone]));
    for (const { id, size } of snapset.clones) {
      const clone = found.get(id);
      if (clone === undefined) fault(`clone ${id.toString(16)} is missing`);
      else if (clone.size !== size) {
        fault(`${clone.size} bytes, its head says ${size}`, clone.object);
      }
      found.delete(id);
    }
    for (const clone of found.values()) fault("a clone its head does not know of", clone.object);
  }

  #decode<T>(
    seen: ObjectSeen,
    attr: string,
    codec: Codec<T>,
    fault: (what: string) => void,
  ): T | undefined {
    const value = seen.attrs.get(attr);
    if (value === undefined) {
      fault(`has no attribute ${attr}`);
      return undefined;
    }
    try {
      return decodeFromBytes(codec, value);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      fault(`attribute ${attr}: ${error.message}`);
      return undefined;
    }
  }

  end(): string[] {
    const clones = this.#clones;
    this.#clones = [];
    return clones.map(
      ({ collection, object }) => `${collection} ${formatObject(object)}: a clone without a head`,
    );
  }
}
