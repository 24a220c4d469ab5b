import { expect, test } from "vitest";
import { MIRROR_SNAPSHOT_STATE } from "../../cls/rbd/types/features.ts";
import type { SnapshotNamespace } from "../../cls/rbd/types.ts";
import { NOSNAP } from "../../types/index.ts";
import type { ImageSnapshot } from "../image.ts";
import { surplus } from "./primary-snapshot.ts";

const { PRIMARY, PRIMARY_DEMOTED } = MIRROR_SNAPSHOT_STATE;

function mirror(state: number): SnapshotNamespace {
  return {
    type: "mirror",
    state,
    complete: true,
    mirrorPeerUuids: new Set(["p"]),
    primaryMirrorUuid: "",
    primarySnapId: NOSNAP,
    lastCopiedObjectNumber: 0n,
    snapSeqs: new Map(),
  };
}

/** One snapshot for each, with ids from 1 on. */
function snapshots(...namespaces: SnapshotNamespace[]): ImageSnapshot[] {
  return namespaces.map(
    (namespace, i) => ({ id: BigInt(i + 1), name: `${i}`, namespace }) as ImageSnapshot,
  );
}

test("of more than five primary snapshots the third goes", () => {
  const five = Array.from({ length: 5 }, () => mirror(PRIMARY));
  expect(surplus(snapshots(...five))).toBe(undefined);
  expect(surplus(snapshots(...five, mirror(PRIMARY)))?.id).toBe(3n);
});

test("users' snapshots do not count, nor those of before the last promotion", () => {
  const user: SnapshotNamespace = { type: "user" };
  const two = [mirror(PRIMARY), user, mirror(PRIMARY)];
  expect(surplus(snapshots(...two, ...two, user, user))).toBe(undefined);
  const old = [mirror(PRIMARY), mirror(PRIMARY), mirror(PRIMARY_DEMOTED)];
  const since = Array.from({ length: 6 }, () => mirror(PRIMARY));
  expect(surplus(snapshots(...old, ...since.slice(1)))).toBe(undefined);
  expect(surplus(snapshots(...old, ...since))?.id).toBe(6n);
});
