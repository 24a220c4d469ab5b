/**
 * The check that comes before anything is changed: does a transaction make sense on this store?
 *
 * Ops are looked at in order, each on top of what the ones before would have done, so that applying a
 * transaction that passed cannot fail half-way for want of an object or a collection.
 */

import { listLength } from "../encoding/index.ts";
import type { HObject } from "../types/index.ts";
import { formatObject, objectKey } from "./object-key.ts";
import {
  type CollectionId,
  type StoreOp,
  TooLargeError,
  type Transaction,
} from "./object-store.ts";

/** Bytes of one object. Ceph's default limit is 128 MiB; ours only keeps offsets well inside 2^53. */
export const OBJECT_SIZE_MAX = 2 ** 40;
/** Bytes of an attribute's name. */
export const NAME_MAX = 0xffff;
/** Bytes of an omap key, or of a collection's name: the index's own keys, which begin with an owner, have 16 bits. */
export const KEY_MAX = NAME_MAX - 9;

/** What the check asks of a store: its present state. */
export interface StoreView {
  hasCollection(collection: CollectionId): boolean;
  objectCount(collection: CollectionId): number;
  exists(collection: CollectionId, object: HObject): boolean;
  /** Is a block of one of these (as far as they exist) an object's that is not among them? */
  sharesOutside(collection: CollectionId, objects: readonly HObject[]): boolean;
}

function checkRange(what: string, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > OBJECT_SIZE_MAX
  ) {
    throw new RangeError(`${what}: ${offset}~${length} is out of range`);
  }
}

/** @throws TooLargeError */
function checkName(what: string, name: string, max: number): void {
  if (name.length > max) throw new TooLargeError(what, name.length, max);
}

/** The staged state: differences to the store, made only when an op creates or removes something. */
class Staged {
  readonly #view: StoreView;
  #collections: Map<CollectionId, boolean> | undefined;
  #objects: Map<string, boolean> | undefined;
  /** An object that is known to be there: most transactions name one again and again. */
  #present: HObject | undefined;
  readonly collection: CollectionId;
  #delta = 0;
  /** Objects that have come into other collections, by collection. */
  #arrived: Map<CollectionId, Set<string>> | undefined;

  constructor(view: StoreView, collection: CollectionId) {
    this.#view = view;
    this.collection = collection;
  }

  hasCollection(id: CollectionId): boolean {
    return this.#collections?.get(id) ?? this.#view.hasCollection(id);
  }

  setCollection(id: CollectionId, present: boolean): void {
    this.#collections ??= new Map();
    this.#collections.set(id, present);
  }

  isEmpty(id: CollectionId): boolean {
    const count = this.#view.hasCollection(id) ? this.#view.objectCount(id) : 0;
    const arrived = this.#arrived?.get(id)?.size ?? 0;
    return count + arrived + (id === this.collection ? this.#delta : 0) === 0;
  }

  /** @returns false: there is one of that name already */
  arrive(id: CollectionId, object: HObject): boolean {
    const key = objectKey(object);
    this.#arrived ??= new Map();
    const arrived = this.#arrived.get(id) ?? new Set();
    this.#arrived.set(id, arrived);
    const isThere = this.#view.hasCollection(id) && this.#view.exists(id, object);
    if (isThere || arrived.has(key)) return false;
    arrived.add(key);
    return true;
  }

  exists(object: HObject): boolean {
    if (object === this.#present) return true;
    const staged = this.#objects?.get(objectKey(object));
    if (staged !== undefined) return staged;
    return this.#view.hasCollection(this.collection) && this.#view.exists(this.collection, object);
  }

  setObject(object: HObject, present: boolean): void {
    const before = this.exists(object);
    this.#present = present ? object : undefined;
    if (before === present) return;
    this.#objects ??= new Map();
    this.#objects.set(objectKey(object), present);
    this.#delta += present ? 1 : -1;
  }
}

/** @throws RangeError */
function checkMove(
  view: StoreView,
  staged: Staged,
  { collection, ops }: Transaction,
  { objects, to }: StoreOp & { op: "move" },
): void {
  if (!staged.hasCollection(to)) throw new RangeError(`move: no collection ${to}`);
  if (to === collection) throw new RangeError(`move: ${to} onto itself`);
  // Who shares what is asked of the store as it was before: only clones would add to that.
  if (ops.some(({ op }) => op === "clone" || op === "clone-range")) {
    throw new RangeError("move: in a transaction that clones");
  }
  if (view.hasCollection(collection) && view.sharesOutside(collection, objects)) {
    throw new RangeError("move: objects that share blocks with others");
  }
  for (const object of objects) {
    if (!staged.exists(object)) throw new RangeError(`move: no object ${formatObject(object)}`);
    staged.setObject(object, false);
    if (!staged.arrive(to, object)) {
      throw new RangeError(`move: ${formatObject(object)} is in ${to} already`);
    }
  }
}

/** @throws RangeError naming the first op that makes no sense */
export function validateTransaction(view: StoreView, transaction: Transaction): void {
  const staged = new Staged(view, transaction.collection);
  for (const op of transaction.ops) {
    if (op.op === "create-collection") {
      if (staged.hasCollection(op.collection)) {
        throw new RangeError(`collection ${op.collection} exists`);
      }
      checkName("collection", op.collection, KEY_MAX);
      staged.setCollection(op.collection, true);
      continue;
    }
    if (op.op === "remove-collection") {
      if (!staged.hasCollection(op.collection)) {
        throw new RangeError(`no collection ${op.collection}`);
      }
      if (!staged.isEmpty(op.collection)) {
        throw new RangeError(`collection ${op.collection} is not empty`);
      }
      staged.setCollection(op.collection, false);
      continue;
    }
    if (!staged.hasCollection(transaction.collection)) {
      throw new RangeError(`no collection ${transaction.collection}`);
    }
    if (op.op === "move") {
      checkMove(view, staged, transaction, op);
      continue;
    }
    if (op.object.max !== 0) throw new RangeError(`${op.op}: not the name of an object`);
    switch (op.op) {
      case "touch":
      case "omap-header":
        staged.setObject(op.object, true);
        break;
      case "write":
        checkRange(op.op, op.offset, listLength(op.data));
        staged.setObject(op.object, true);
        break;
      case "truncate":
        checkRange(op.op, op.size, 0);
        staged.setObject(op.object, true);
        break;
      case "set-attr":
        checkName(op.op, op.name, NAME_MAX);
        staged.setObject(op.object, true);
        break;
      case "omap-set":
        for (const [key] of op.entries) checkName(op.op, key, KEY_MAX);
        staged.setObject(op.object, true);
        break;
      case "zero":
        checkRange(op.op, op.offset, op.length);
        break;
      case "remove":
        if (!staged.exists(op.object)) {
          throw new RangeError(`remove: no object ${formatObject(op.object)}`);
        }
        staged.setObject(op.object, false);
        break;
      case "clone":
      case "clone-range":
        if (!staged.exists(op.object)) {
          throw new RangeError(`${op.op}: no object ${formatObject(op.object)}`);
        }
        if (op.to.max !== 0) throw new RangeError(`${op.op}: not the name of an object`);
        if (objectKey(op.object) === objectKey(op.to)) {
          throw new RangeError(`${op.op}: ${formatObject(op.object)} onto itself`);
        }
        if (op.op === "clone-range") {
          checkRange(op.op, op.offset, op.length);
          checkRange(op.op, op.toOffset, op.length);
        }
        staged.setObject(op.to, true);
        break;
      default:
        break; // remove-attr and the omap removals: nothing to remove is no mistake
    }
  }
}
