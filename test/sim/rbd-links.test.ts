/** Clones and their parents, which have to know of each other whatever comes in between. */
import { expect, test } from "vitest";
import { sleep } from "../../src/base/index.ts";
import { opOmapRmKeys } from "../../src/messages/index.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import {
  cloneImage,
  commitMigration,
  createImage,
  createNamespace,
  deleteSnapshot,
  executeMigration,
  flattenImage,
  type Image,
  ImageIo,
  listChildren,
  noProgress,
  openImage,
  prepareMigration,
  protectSnapshot,
  removeImage,
  takeSnapshot,
  unprotectSnapshot,
} from "../../src/rbd/index.ts";
import { headerName } from "../../src/rbd/names.ts";
import { Bench, type BenchClient } from "./bench.ts";
import { codeOf, dyingIo } from "./failing-io.ts";

const ORDER = 14;
const OBJECT = 2 ** ORDER;
const SIZE = 4 * OBJECT;

/** An image `p` full of 5, with a snapshot `s`. */
async function withParent({ context }: BenchClient, io: IoCtx) {
  await createImage(context, io, "p", SIZE, { order: ORDER });
  const image = await openImage(context, io, { name: "p" });
  await new ImageIo(image).write(0, Buffer.alloc(SIZE, 5));
  await takeSnapshot(image, "s");
  return image;
}

const clone = ({ context }: BenchClient, io: IoCtx, format: 1 | 2) =>
  cloneImage(context, { io, name: "p", snapshot: "s" }, { io, name: "c" }, { format });

/** Is all of the clone what the parent had? */
async function isWhole({ context }: BenchClient, io: IoCtx): Promise<boolean> {
  const image = await openImage(context, io, { name: "c" });
  const seen = await new ImageIo(image).read(0, SIZE);
  await image.close();
  return seen.equals(Buffer.alloc(SIZE, 5));
}

test("a clone of the old kind in a namespace keeps its parent's snapshot protected, and goes with a parent that migrates", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context } = client;
  await bench.run(createNamespace(client.io, "n"));
  const io = client.io.inNamespace("n");
  const parent = await bench.run(withParent(client, io));
  await bench.run(protectSnapshot(parent, "s"));
  await bench.run(clone(client, io, 1));
  expect(await bench.run(listChildren(parent))).toMatchObject([{ imageName: "c" }]);
  expect(await bench.run(codeOf(unprotectSnapshot(parent, "s")))).toBe("EBUSY");
  await bench.run(parent.close());
  await bench.run(prepareMigration(context, { io, name: "p" }, { io, name: "q" }));
  await bench.run(executeMigration(context, io, "q", noProgress));
  await bench.run(commitMigration(context, io, "q", noProgress));
  expect(await bench.run(isWhole(client, io))).toBe(true);
  await bench.close();
});

/** Removes the parent's snapshot as far as clones let it. @returns whether it is gone */
async function removeSnapshotOf(parent: Image): Promise<boolean> {
  const result = await codeOf(deleteSnapshot(parent, "s", { unprotect: true }));
  expect(["done", "EBUSY"]).toContain(result);
  await parent.refresh();
  return parent.snapshots.length === 0;
}

/** Requests of which one is the last that is not made. */
const CUTS = {
  flatten: { 1: ["parent_detach", "remove_child"], 2: ["parent_detach", "child_detach"] },
  clone: {
    1: ["add_child", "parent_attach", "get_protection_status"],
    2: ["op_features_set", "child_attach", "parent_attach", "snapshot_get"],
  },
} as const;

for (const format of [1, 2] as const) {
  test.each(CUTS.flatten[format])(
    `a clone whose flattening is cut short has all its data (kind ${format}, at %s)`,
    async (cutAt) => {
      const bench = await Bench.start();
      const client = await bench.client();
      const { context, io } = client;
      const parent = await bench.run(withParent(client, io));
      if (format === 1) await bench.run(protectSnapshot(parent, "s"));
      await bench.run(clone(client, io, format));
      const other = await bench.client();
      const dying = dyingIo(other.io, ({ method }) => method === cutAt);
      const flattening = flattenImage(other.context, dying, "c", noProgress);
      expect(await bench.run(codeOf(flattening))).toBe("ESHUTDOWN");
      other.die("killed");
      const isGone = await bench.run(removeSnapshotOf(parent));
      // An entry that is left over keeps nothing.
      expect(isGone).toBe(cutAt !== "parent_detach");
      expect(await bench.run(isWhole(client, io))).toBe(true);
      const again = codeOf(flattenImage(context, io, "c", noProgress));
      expect(await bench.run(again)).toBe(isGone ? "EINVAL" : "done");
      if (!isGone && format === 1) expect(await bench.run(removeSnapshotOf(parent))).toBe(true);
      await bench.run(parent.refresh());
      expect(parent.snapshots).toEqual([]);
      expect(await bench.run(isWhole(client, io))).toBe(true);
      await bench.run(parent.close());
      await bench.close();
    },
  );

  test.each(CUTS.clone[format])(
    `a clone whose making is cut short shows its parent's snapshot, or does not keep it (kind ${format}, at %s)`,
    async (cutAt) => {
      const bench = await Bench.start();
      const client = await bench.client();
      const { context, io } = client;
      const parent = await bench.run(withParent(client, io));
      if (format === 1) await bench.run(protectSnapshot(parent, "s"));
      const other = await bench.client();
      const dying = dyingIo(other.io, ({ method }) => method === cutAt);
      expect(await bench.run(codeOf(clone(other, dying, format)))).toBe("ESHUTDOWN");
      other.die("killed");
      const image = await bench.run(openImage(context, io, { name: "c" }, { readOnly: true }));
      const isClone = image.parent !== undefined;
      expect(await bench.run(removeSnapshotOf(parent))).toBe(!isClone);
      if (isClone) expect(await bench.run(isWhole(client, io))).toBe(true);
      await bench.run(removeImage(context, io, "c", noProgress));
      if (isClone && format === 1) await bench.run(removeSnapshotOf(parent));
      await bench.run(parent.refresh());
      expect(parent.snapshots).toEqual([]);
      await bench.run(parent.close());
      await bench.close();
    },
  );
}

test.each([1, 2] as const)(
  "who makes a clone of a snapshot and who removes that do not pass each other by (kind %i)",
  async (format) => {
    const bench = await Bench.start();
    const client = await bench.client();
    const other = await bench.client();
    const { context, io } = client;
    const outcomes = new Set<string>();
    for (let delay = 0; delay < 12; delay += 0.75) {
      const parent = await bench.run(withParent(client, io));
      if (format === 1) await bench.run(protectSnapshot(parent, "s"));
      const cloning = codeOf(clone(other, other.io, format));
      const removing = sleep(parent.clock, delay).then(() => removeSnapshotOf(parent));
      const [result, isGone] = await bench.run(Promise.all([cloning, removing]));
      outcomes.add(`${result}, ${isGone ? "removed" : "kept"}`);
      if (result === "done") {
        expect(isGone).toBe(false);
        expect(await bench.run(isWhole(client, io))).toBe(true);
        await bench.run(removeImage(context, io, "c", noProgress));
        if (format === 1) await bench.run(removeSnapshotOf(parent));
      }
      await bench.run(parent.refresh());
      if (format === 1 && parent.snapshots.length > 0) await bench.run(removeSnapshotOf(parent));
      expect(parent.snapshots).toEqual([]);
      await bench.run(parent.close());
      await bench.run(removeImage(context, io, "p", noProgress));
    }
    expect([...outcomes]).toContain("done, kept");
    expect(outcomes.size).toBeGreaterThan(1);
    await bench.close();
  },
);

test("what a clone has left that was cut short keeps no parent from migrating", async () => {
  const bench = await Bench.start();
  const client = await bench.client();
  const { context, io } = client;
  const parent = await bench.run(withParent(client, io));
  await bench.run(parent.close());
  const other = await bench.client();
  const dying = dyingIo(other.io, ({ method }) => method === "parent_attach");
  expect(await bench.run(codeOf(clone(other, dying, 2)))).toBe("ESHUTDOWN");
  other.die("killed");
  await bench.run(prepareMigration(context, { io, name: "p" }, { io, name: "q" }));
  await bench.run(executeMigration(context, io, "q", noProgress));
  await bench.run(removeImage(context, io, "c", noProgress));
  await bench.run(commitMigration(context, io, "q", noProgress));
  const image = await bench.run(openImage(context, io, { name: "q" }));
  expect(await bench.run(listChildren(image))).toEqual([]);
  await bench.run(deleteSnapshot(image, "s"));
  await bench.run(image.close());
  await bench.close();
});

test.each([1, 2] as const)(
  "a parent stays for snapshots of a clone whose head names none, as before Nautilus: kind %d",
  async (format) => {
    const bench = await Bench.start();
    const client = await bench.client();
    const { context, io } = client;
    const parent = await bench.run(withParent(client, io));
    await bench.run(protectSnapshot(parent, "s"));
    await bench.run(clone(client, io, format));
    const child = await bench.run(openImage(context, io, { name: "c" }));
    await bench.run(takeSnapshot(child, "t"));
    await bench.run(child.close());
    await bench.run(io.write(headerName(child.id), [opOmapRmKeys(["parent"])]));
    expect(await bench.run(removeSnapshotOf(parent))).toBe(false);
    await bench.run(parent.close());
    await bench.close();
  },
);
