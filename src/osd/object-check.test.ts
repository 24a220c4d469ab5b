import { expect, test } from "vitest";
import { encodeToBytes } from "../encoding/index.ts";
import type { ObjectSeen } from "../store/index.ts";
import { type HObject, IntervalSet, NOSNAP, SnapSet } from "../types/index.ts";
import { ObjectInfoCheck } from "./object-check.ts";
import { NO_OBJECT, ObjectInfo } from "./object-info.ts";

interface Wanted {
  size?: number;
  infoSize?: number;
  snap?: bigint;
  clones?: { id: bigint; size: number }[];
  collection?: string;
  oid?: string;
}

/** An object as the OSD would have left it, with what is asked for made wrong. */
function seen({
  size = 10,
  infoSize = size,
  snap = NOSNAP,
  clones = [],
  ...rest
}: Wanted): ObjectSeen {
  const { collection = "1.0", oid = "a" } = rest;
  const object: HObject = { key: "", oid, snap, hash: 7, max: 0, nspace: "", pool: 1n };
  const snapset = {
    seq: 9n,
    clones: clones.map((clone) => ({ ...clone, snaps: [clone.id], overlap: new IntervalSet() })),
  };
  const attrs = new Map<string, Uint8Array>([
    ["_", encodeToBytes(ObjectInfo, { ...NO_OBJECT, size: infoSize })],
    ["snapset", encodeToBytes(SnapSet, snapset)],
  ]);
  return { collection, object, size, attrs };
}

function check(...objects: ObjectSeen[]): string[] {
  const checker = new ObjectInfoCheck();
  return [...objects.flatMap((o) => checker.object(o)), ...checker.end()];
}

test("heads, clones before their heads, the PG's own object, other collections: all well", () => {
  const lines = check(
    { ...seen({ oid: "" }), attrs: new Map() },
    seen({ snap: 2n, size: 4 }),
    seen({ snap: 5n, size: 8 }),
    seen({
      clones: [
        { id: 2n, size: 4 },
        { id: 5n, size: 8 },
      ],
    }),
    seen({ oid: "b" }),
    { ...seen({ collection: "mon" }), attrs: new Map() },
  );
  expect(lines).toEqual([]);
});

test("a size that is not the store's is named, of a head and of a clone", () => {
  expect(check(seen({ infoSize: 11 }))).toEqual(["1.0 1://a:head: 10 bytes, its info says 11"]);
  expect(
    check(seen({ snap: 2n, size: 4, infoSize: 5 }), seen({ clones: [{ id: 2n, size: 4 }] })),
  ).toEqual(["1.0 1://a:2: 4 bytes, its info says 5"]);
});

test("a snapshot set and the clones that are there must agree", () => {
  expect(check(seen({ clones: [{ id: 31n, size: 4 }] }))).toEqual([
    "1.0 1://a:head: clone 1f is missing",
  ]);
  expect(check(seen({ snap: 2n }), seen({}))).toEqual([
    "1.0 1://a:2: a clone its head does not know of",
  ]);
  expect(check(seen({ snap: 2n, size: 4 }), seen({ clones: [{ id: 2n, size: 9 }] }))).toEqual([
    "1.0 1://a:2: 4 bytes, its head says 9",
  ]);
});

test("a clone without a head is named, between objects, collections and at the end", () => {
  const line = "1.0 1://a:2: a clone without a head";
  expect(check(seen({ snap: 2n }))).toEqual([line]);
  expect(check(seen({ snap: 2n }), seen({ oid: "b" }))).toEqual([line]);
  expect(check(seen({ snap: 2n }), seen({ collection: "1.1" }))).toEqual([line]);
});

test("attributes that are not there or not readable are named", () => {
  expect(check({ ...seen({}), attrs: new Map() })).toEqual([
    "1.0 1://a:head: has no attribute _",
    "1.0 1://a:head: has no attribute snapset",
  ]);
  const attrs = new Map(seen({}).attrs).set("_", new Uint8Array(3));
  expect(check({ ...seen({}), attrs })).toEqual([
    expect.stringMatching(/^1\.0 1:\/\/a:head: attribute _: cannot decode/),
  ]);
});
