import { expect, test } from "vitest";
import { MIGRATION_HEADER_TYPE, MIGRATION_STATE } from "../../cls/rbd/types/features.ts";
import type { MigrationSpec } from "../../cls/rbd/types.ts";
import { NOSNAP } from "../../types/index.ts";
import { refOf } from "../shown.ts";
import { type MigrationSource, migrationSource } from "./source.ts";

const SPEC: MigrationSpec = {
  headerType: MIGRATION_HEADER_TYPE.DST,
  poolId: 7,
  poolNamespace: "n",
  imageName: "from",
  imageId: "id",
  // The source's 3 and 5.
  snapSeqs: new Map([
    [3n, 13n],
    [5n, 15n],
  ]),
  overlap: 1000,
  flatten: false,
  mirroring: false,
  state: MIGRATION_STATE.PREPARED,
  stateDescription: "",
  mirrorImageMode: 0,
  sourceSpec: "",
};
const COPIED = [
  { id: 13n, imageSize: 500 },
  { id: 15n, imageSize: 1500 },
];

const open = (spec: Partial<MigrationSpec>, snapshots = COPIED, size = 1000, readOnly = false) =>
  migrationSource({ ...SPEC, ...spec }, { size, snapshots }, { target: "to", readOnly });

/** Snapshots of the source, and bytes, by snapshot of the destination. */
function shownIn(source: MigrationSource | undefined) {
  return [...(source?.shown ?? [])].map(([snap, { spec, overlap }]) => [
    snap,
    spec.snapId,
    overlap,
  ]);
}

test("a copied snapshot shows the source's, the head what the source is now", () => {
  const source = open({});
  expect(shownIn(source)).toEqual([
    [13n, 3n, 500],
    [15n, 5n, 1500],
    [NOSNAP, NOSNAP, 1000],
  ]);
  expect(source?.overlap).toBe(1500);
  expect(source?.snapMap).toEqual(
    new Map([
      [3n, [13n]],
      [5n, [15n, 13n]],
      [NOSNAP, [NOSNAP, 15n, 13n]],
    ]),
  );
  const spec = { poolId: 7, poolNamespace: "n", imageId: "id", snapId: 3n };
  expect(source?.shown.get(13n)?.spec).toEqual(spec);
});

test("what the source is now belongs to the oldest snapshot that was taken since", () => {
  const newer = [...COPIED, { id: 17n, imageSize: 800 }, { id: 18n, imageSize: 1200 }];
  const source = open({}, newer, 2000);
  expect(source?.snapMap.get(NOSNAP)).toEqual([17n, 15n, 13n]);
  // Who was once as small as 800 has nothing of the source behind that.
  expect(shownIn(source).slice(2)).toEqual([
    [17n, NOSNAP, 800],
    [18n, NOSNAP, 800],
    [NOSNAP, NOSNAP, 800],
  ]);
});

test("what only a removed snapshot would bring comes with the next one, and its writes are still kept apart", () => {
  const source = open({}, [{ id: 15n, imageSize: 1500 }]);
  expect(source?.snapMap).toEqual(
    new Map([
      [5n, [15n, 13n]],
      [NOSNAP, [NOSNAP, 15n, 13n]],
    ]),
  );
  expect(source?.shown.has(13n)).toBe(false);
});

test("a head that became smaller shows no more than its size", () => {
  expect(open({}, [], 100)?.shown.get(NOSNAP)?.overlap).toBe(100);
});

test("once all is copied it shows nothing; given up it can be read, and not be written to", () => {
  const { EXECUTED, ABORTING, PREPARING, ERROR } = MIGRATION_STATE;
  expect(open({ state: EXECUTED })).toBeUndefined();
  expect(open({ state: ABORTING }, COPIED, 1000, true)).toBeDefined();
  expect(() => open({ state: ABORTING })).toThrow("EROFS");
  expect(() => open({ state: PREPARING })).toThrow("EAGAIN");
  expect(() => open({ state: ERROR })).toThrow("EINVAL");
});

test("a source can be read as it is, and not be written to; what is no end of a migration is refused", () => {
  const { SRC } = MIGRATION_HEADER_TYPE;
  expect(open({ headerType: SRC }, COPIED, 1000, true)).toBeUndefined();
  expect(() => open({ headerType: SRC })).toThrow("EROFS");
  expect(() => open({ headerType: 9 })).toThrow("EBADMSG");
  expect(() => open({ sourceSpec: "{}" })).toThrow("EOPNOTSUPP");
});

test("a source of format 1 is found by its name, any other by its id", () => {
  const refOfHead = (spec: Partial<MigrationSpec>) => {
    const shown = open(spec)?.shown.get(NOSNAP)?.spec;
    return shown && refOf(shown);
  };
  expect(refOfHead({ imageId: "" })).toEqual({ format1: "from" });
  expect(refOfHead({})).toEqual({ id: "id" });
});
