/** Are two stores the same, in everything that can be asked of them? */
import { bytesEqual, flatten } from "../../src/encoding/index.ts";
import type { ObjectStore } from "../../src/store/index.ts";
import { HOBJECT_MIN, type HObject } from "../../src/types/index.ts";

type Entries = [string, Uint8Array][];

function sameEntries(a: Entries, b: Entries): boolean {
  return a.length === b.length && a.every(([k, v], i) => k === b[i]![0] && bytesEqual(v, b[i]![1]));
}

/** The first difference in words, or undefined. */
export async function difference(
  store: ObjectStore,
  model: ObjectStore,
): Promise<string | undefined> {
  const collections = model.collections();
  if (store.collections().join() !== collections.join()) {
    return `collections ${store.collections().join()} for ${collections.join()}`;
  }
  for (const c of collections) {
    const wanted = model.list(c, HOBJECT_MIN, 1000).objects;
    const got = store.list(c, HOBJECT_MIN, 1000).objects;
    const names = (list: HObject[]) => list.map((o) => `${o.oid}:${o.snap}`).join();
    if (names(got) !== names(wanted)) return `${c}: objects ${names(got)} for ${names(wanted)}`;
    const usage = JSON.stringify(model.usage(c));
    if (JSON.stringify(store.usage(c)) !== usage) {
      return `${c}: usage ${JSON.stringify(store.usage(c))} for ${usage}`;
    }
    for (const object of wanted) {
      const found = await objectDifference(store, model, c, object);
      if (found !== undefined) return `${c} ${object.oid}:${object.snap}: ${found}`;
    }
  }
  return undefined;
}

/** The same of one object. */
export async function objectDifference(
  store: ObjectStore,
  model: ObjectStore,
  c: string,
  object: HObject,
): Promise<string | undefined> {
  const size = model.stat(c, object)?.size;
  if (store.stat(c, object)?.size !== size) {
    return `size ${store.stat(c, object)?.size} for ${size}`;
  }
  if (size === undefined) return undefined;
  if (!sameEntries(store.getAttrs(c, object), model.getAttrs(c, object))) return "attributes";
  if (!sameEntries([...store.omapEntries(c, object)], [...model.omapEntries(c, object)])) {
    return "omap";
  }
  if (!bytesEqual(store.omapHeader(c, object), model.omapHeader(c, object))) return "omap header";
  const extents = JSON.stringify(model.extents(c, object, 0, size));
  if (JSON.stringify(store.extents(c, object, 0, size)) !== extents) {
    return `extents ${JSON.stringify(store.extents(c, object, 0, size))} for ${extents}`;
  }
  const wanted = flatten(model.readSync(c, object, 0, size));
  const got = flatten(await store.read(c, object, 0, size));
  return bytesEqual(got, wanted) ? undefined : "data";
}
