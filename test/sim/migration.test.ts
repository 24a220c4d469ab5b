/** Live migration and mirror snapshots on the simulated server, with clients that die in the middle. */
import { expect, test } from "vitest";
import { ImageSetArgs } from "../../src/cls/rbd/ops/mirror.ts";
import {
  MIGRATION_HEADER_TYPE,
  MIGRATION_STATE,
  MIRROR_IMAGE_MODE,
  MIRROR_IMAGE_STATE,
  MIRROR_MODE,
  MIRROR_PEER_DIRECTION,
  MIRROR_SNAPSHOT_STATE,
  TRASH_IMAGE_SOURCE,
} from "../../src/cls/rbd/types/features.ts";
import { MirrorPeer } from "../../src/cls/rbd/types/mirror.ts";
import { MigrationSpec } from "../../src/cls/rbd/types.ts";
import { str, u32 } from "../../src/encoding/index.ts";
import { opOmapSetVals, opRead, opWrite } from "../../src/messages/index.ts";
import { classCalls, type IoCtx } from "../../src/rados/index.ts";
import { DIRECTORY, HEADER, TRASH } from "../../src/rbd/calls.ts";
import { unless } from "../../src/rbd/errors.ts";
import {
  abortMigration,
  addMirrorPeer,
  commitMigration,
  createMirrorSnapshot,
  disableMirroring,
  enableMirroring,
  executeMigration,
  Image,
  mirrorInfo,
  mirrorSnapshot,
  noProgress,
  openImage,
  removeImage,
  removeMirrorPeer,
  setMirrorMode,
} from "../../src/rbd/index.ts";
import { NOSNAP, UTIME_ZERO } from "../../src/types/index.ts";
import { Bench, makeImage, ORDER, objectNames, snapshotImage } from "./bench.ts";

const rbd = classCalls("rbd");
const SET_MIGRATION = rbd("migration_set", MigrationSpec);
const SOURCE = {
  name: "a",
  id: "ia",
  objectCount: 24,
  objects: new Map([0, 1, 5, 9].map((n) => [n, n + 1])),
};
/** What object 1 gets after the snapshot, and what comes new. */
const LATER = { 1: 0x77, 7: 0x78 } as const;

const nameOf = (id: string, objectNo: number) =>
  `rbd_data.${id}.${objectNo.toString(16).padStart(16, "0")}`;
const filled = (value: number) => Buffer.alloc(2 ** ORDER, value);

/** The first byte of each object there is, by number. */
async function contents(io: IoCtx, id: string, snap: bigint): Promise<Record<number, number>> {
  const found: Record<number, number> = {};
  for (let objectNo = 0; objectNo < SOURCE.objectCount; objectNo++) {
    const read = io.read(nameOf(id, objectNo), [opRead(0, 0)], { snap });
    const data = (await unless(read, "ENOENT"))?.ops[0]?.data;
    if (data === undefined) continue;
    expect(filled(data[0] ?? 0).equals(data), `object ${objectNo}`).toBe(true);
    found[objectNo] = data[0] ?? 0;
  }
  return found;
}

/** An image with a snapshot, ready to move to another one, as librbd's preparation leaves them. */
async function prepared(io: IoCtx): Promise<{ source: bigint; target: bigint }> {
  await makeImage(io, SOURCE);
  const source = await snapshotImage(io, "ia", "s");
  for (const [objectNo, value] of Object.entries(LATER)) {
    const snapContext = { seq: source, snaps: [source] };
    await io.write(nameOf("ia", Number(objectNo)), [opWrite(0, filled(value))], { snapContext });
  }
  await makeImage(io, { ...SOURCE, name: "b", id: "ib", objects: new Map() });
  const target = await snapshotImage(io, "ib", "s");
  const spec = {
    poolId: io.pool,
    poolNamespace: "",
    sourceSpec: "",
    overlap: SOURCE.objectCount * 2 ** ORDER,
    flatten: false,
    mirroring: false,
    mirrorImageMode: 0,
    state: MIGRATION_STATE.PREPARED,
    stateDescription: "",
  };
  const { DST, SRC } = MIGRATION_HEADER_TYPE;
  const ofSource = { headerType: SRC, imageName: "b", imageId: "ib", snapSeqs: new Map() };
  await io.execute("rbd_header.ia", SET_MIGRATION, { ...spec, ...ofSource });
  const snapSeqs = new Map([[source, target]]);
  const ofTarget = { headerType: DST, imageName: "a", imageId: "ia", snapSeqs };
  await io.execute("rbd_header.ib", SET_MIGRATION, { ...spec, ...ofTarget });
  await io.remove("rbd_id.a");
  await io.execute("rbd_directory", DIRECTORY.remove, { name: "a", id: "ia" });
  const entry = {
    source: TRASH_IMAGE_SOURCE.MIGRATION,
    name: "a",
    deletionTime: UTIME_ZERO,
    defermentEndTime: UTIME_ZERO,
    state: 0,
  };
  await io.execute("rbd_trash", TRASH.add, { id: "ia", spec: entry });
  return { source, target };
}

const AT_SNAPSHOT = { 0: 1, 1: 2, 5: 6, 9: 10 };
const AT_HEAD = { ...AT_SNAPSHOT, ...LATER };

test("a migration brings over every object with its snapshots, and the source goes", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const { target } = await bench.run(prepared(io));
  await bench.run(executeMigration(context, io, "b", noProgress));
  expect(await bench.run(contents(io, "ib", NOSNAP))).toEqual(AT_HEAD);
  expect(await bench.run(contents(io, "ib", target))).toEqual(AT_SNAPSHOT);
  expect(await bench.run(contents(io, "ia", NOSNAP))).toEqual(AT_HEAD);
  await bench.run(commitMigration(context, io, "b", noProgress));
  const left = await bench.run(objectNames(io));
  expect(left.filter((name) => name.includes("ia") || name.endsWith(".a"))).toEqual([]);
  const image = await bench.run(Image.open(context, io, { name: "b" }, { readOnly: true }));
  expect(image.snapshots.map(({ name }) => name)).toEqual(["s"]);
  await bench.close();
});

test("a migration whose clients die goes on where they were, and keeps what was written since", async () => {
  const bench = await Bench.start();
  const first = await bench.client();
  const { target } = await bench.run(prepared(first.io));
  const snapContext = { seq: target, snaps: [target] };
  for (let ms = 1; ms < 20; ms += 5) {
    const dying = await bench.client();
    const executing = executeMigration(dying.context, dying.io, "b", noProgress);
    let isDone = false;
    executing.then(
      () => (isDone = true),
      () => undefined,
    );
    await bench.pass(ms);
    dying.die("killed");
    expect(isDone, `done after ${ms} ms: there is nothing left to go on with`).toBe(false);
    await bench.pass(40_000);
  }
  // Where all snapshots are there already, a write is the newest.
  const all = await bench.run(contents(first.io, "ib", target));
  if (all[5] !== undefined) {
    await bench.run(first.io.write(nameOf("ib", 5), [opWrite(0, filled(0x55))], { snapContext }));
  }
  const last = await bench.client();
  await bench.run(executeMigration(last.context, last.io, "b", noProgress));
  const head = await bench.run(contents(last.io, "ib", NOSNAP));
  expect(head).toEqual({ ...AT_HEAD, ...(all[5] === undefined ? {} : { 5: 0x55 }) });
  expect(await bench.run(contents(last.io, "ib", target))).toEqual(AT_SNAPSHOT);
  await bench.close();
});

test("a migration given up leaves the source as the destination was, and no destination", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const { source, target } = await bench.run(prepared(io));
  await bench.run(executeMigration(context, io, "a", noProgress));
  const snapContext = { seq: target, snaps: [target] };
  await bench.run(io.write(nameOf("ib", 9), [opWrite(0, filled(0x56))], { snapContext }));
  await bench.run(abortMigration(context, io, "a", noProgress));
  expect(await bench.run(contents(io, "ia", NOSNAP))).toEqual({ ...AT_HEAD, 9: 0x56 });
  expect(await bench.run(contents(io, "ia", source))).toEqual(AT_SNAPSHOT);
  const left = await bench.run(objectNames(io));
  expect(left.filter((name) => name.includes("ib") || name.endsWith(".b"))).toEqual([]);
  await bench.run(Image.open(context, io, { name: "a" }, { readOnly: true }));
  await bench.close();
});

/** The image as one that is mirrored, with a first snapshot that says that it is primary; no peer yet. */
async function mirrored(io: IoCtx): Promise<void> {
  await makeImage(io, SOURCE);
  await io.execute("rbd_mirroring", rbd("mirror_uuid_set", str), "u");
  await io.execute("rbd_mirroring", rbd("mirror_mode_set", u32), MIRROR_MODE.IMAGE);
  const image = {
    globalImageId: "g",
    state: MIRROR_IMAGE_STATE.ENABLED,
    mode: MIRROR_IMAGE_MODE.SNAPSHOT,
  };
  await io.execute("rbd_mirroring", rbd("mirror_image_set", ImageSetArgs), {
    imageId: "ia",
    image,
  });
  const namespace = {
    type: "mirror",
    state: MIRROR_SNAPSHOT_STATE.PRIMARY,
    complete: true,
    mirrorPeerUuids: new Set(["p"]),
    primaryMirrorUuid: "",
    primarySnapId: NOSNAP,
    lastCopiedObjectNumber: 0n,
    snapSeqs: new Map(),
  } as const;
  const snapId = await io.createSnapId();
  await io.execute("rbd_header.ia", HEADER.addSnapshot, { snapId, name: "first", namespace });
}

async function addPeer(io: IoCtx): Promise<void> {
  const peer = { uuid: "p", siteName: "far", clientName: "client.x", mirrorUuid: "" };
  const direction = MIRROR_PEER_DIRECTION.RX_TX;
  await io.execute("rbd_mirroring", rbd("mirror_peer_add", MirrorPeer), {
    ...peer,
    direction,
    lastSeen: UTIME_ZERO,
  });
}

test("of the snapshots of a primary image the newest stay, each with its state", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const take = () => bench.run(createMirrorSnapshot(context, io, "ia"));
  expect(await take()).toBe(false);
  await bench.run(mirrored(io));
  // Nobody would fetch it.
  await expect(take()).rejects.toMatchObject({ code: "EINVAL" });
  await bench.run(addPeer(io));
  for (let n = 0; n < 6; n++) expect(await take()).toBe(true);
  const image = await bench.run(Image.open(context, io, { name: "a" }, { readOnly: true }));
  expect(image.snapshots).toHaveLength(5);
  expect(image.snapshots[0]?.name).toBe("first");
  const isComplete = image.snapshots.map(
    (x) => x.namespace.type === "mirror" && x.namespace.complete,
  );
  expect(isComplete).toEqual([true, true, true, true, true]);
  const ids = image.snapshots.slice(1).map(({ id }) => `rbd_mirror_snapshot.ia.${id}.0`);
  const states = (await bench.run(objectNames(io))).filter((name) => name.includes("_snapshot."));
  expect(states).toEqual(ids.sort());
  await bench.close();
});

test("an image that is mirrored has a first snapshot, and none when it ends, or is removed", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  const { IMAGE, DISABLED } = MIRROR_MODE;
  await bench.run(makeImage(io, SOURCE));
  const isMirrored = async (image: Image) => (await mirrorInfo(image))?.primary;
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await expect(bench.run(enableMirroring(image))).rejects.toMatchObject({ code: "EINVAL" });
  await bench.run(setMirrorMode(context, io, IMAGE));
  // Nobody has to be there to fetch it yet.
  await bench.run(enableMirroring(image));
  expect(await bench.run(isMirrored(image))).toBe(true);
  await expect(bench.run(mirrorSnapshot(image))).rejects.toMatchObject({ code: "EINVAL" });
  const peer = { siteName: "far", clientName: "client.x", direction: MIRROR_PEER_DIRECTION.RX_TX };
  const uuid = await bench.run(addMirrorPeer(context, io, peer));
  const snapId = await bench.run(mirrorSnapshot(image));
  expect(image.snapshots.at(-1)).toMatchObject({ id: snapId, namespace: { complete: true } });
  for (const code of ["EBUSY", "EINVAL"]) {
    const end = bench.run(setMirrorMode(context, io, DISABLED));
    await expect(end).rejects.toMatchObject({ code });
    await bench.run(removeMirrorPeer(io, uuid));
  }
  await bench.run(disableMirroring(image));
  expect(await bench.run(isMirrored(image))).toBeUndefined();
  expect(image.snapshots).toEqual([]);
  await bench.run(enableMirroring(image));
  await bench.run(image.close());
  await bench.run(removeImage(context, io, "a", noProgress));
  await bench.run(setMirrorMode(context, io, DISABLED));
  const left = (await bench.run(objectNames(io))).filter((name) => name.includes("_snapshot."));
  expect(left).toEqual([]);
  await bench.close();
});

test("the manager takes a scheduled image's snapshots, each minute one", async () => {
  const bench = await Bench.start();
  const { io, context } = await bench.client();
  await bench.run(mirrored(io));
  await bench.run(addPeer(io));
  const key = `${io.pool}//ia`;
  const schedule = Buffer.from('[{"interval": "1m", "start_time": null}]');
  const oid = "rbd_mirror_snapshot_schedule";
  await bench.run(io.write(oid, [opOmapSetVals(new Map([[key, schedule]]))]));
  const count = async () =>
    (await Image.open(context, io, { name: "a" }, { readOnly: true })).snapshots.length;
  // It looks at schedules once a minute.
  await bench.pass(125_000);
  const before = await bench.run(count());
  expect(before).toBeGreaterThan(1);
  await bench.pass(120_000);
  expect(await bench.run(count())).toBe(before + 2);
  await bench.close();
});
