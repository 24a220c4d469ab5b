/**
 * Live migration by `spirula/rbd` and the unmodified librbd in turn: in every state either writes to the image and
 * takes snapshots, and both find in each revision, and in a clone, the bytes that a model has. With
 * SPIRULA_TARGET=ceph on a real cluster. MIGRATION_SEEDS=20: long runs by hand.
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import type * as librbd from "../../src/librbd/index.ts";
import { Dice } from "../harness/dice.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must } from "../harness/run.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const KIB = 2 ** 10;
const SIZE = 3 * 2 ** 20;
const SEEDS = Number(process.env["MIGRATION_SEEDS"] ?? 1);
const TURN = resolve("test/interop/rbd-turn.py");

let api: typeof librbd;
let work: TempDir;
let target: Target;
let cluster: librados.Cluster;
let rbd: librbd.Rbd;
let other: librbd.Rbd;
let tool: (command: string, input?: string) => Promise<string>;

beforeAll(async () => {
  const rados = await loadPackage<typeof librados>("rados");
  api = await loadPackage<typeof librbd>("rbd");
  work = await tempDir("migration");
  target = await startTarget(work.path);
  const env = clientEnv(target.confPath);
  tool = (command, input = "") => must(command, { env, cwd: work.path, timeoutMs: 120_000, input });
  await tool("ceph osd pool create other 8 && rbd pool init other");
  cluster = await rados.connect({ conf: target.confPath, env: {} });
  rbd = await api.Rbd.open(cluster, "rbd");
  other = await api.Rbd.open(cluster, "other");
});
afterAll(async () => {
  await cluster?.close();
  await target?.stop();
  await work?.remove();
});

type Change =
  | { readonly op: "write"; readonly offset: number; readonly data: string }
  | { readonly op: "zero"; readonly offset: number; readonly length: number }
  | { readonly op: "snapshot"; readonly name: string };

/** An image as it has to be. "": the head. */
type Model = Map<string, Buffer>;

const digest = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

function digestsOf(model: Model): Record<string, string> {
  return Object.fromEntries([...model].map(([name, data]) => [name, digest(data)]));
}

/** Changes of a turn, made in the model too. */
function changesOf(dice: Dice, model: Model, count: number, snapshot?: string): Change[] {
  const changes: Change[] = [];
  const head = model.get("") ?? Buffer.alloc(0);
  for (let i = 0; i < count; i++) {
    const offset = dice.below(head.length);
    const most = dice.chance(0.15) ? 700 * KIB : 20 * KIB;
    const length = Math.min(head.length - offset, dice.between(1, most));
    if (dice.chance(0.3)) {
      changes.push({ op: "zero", offset, length });
      head.fill(0, offset, offset + length);
    } else {
      const data = Buffer.alloc(length, dice.bytes(Math.min(length, 997)));
      changes.push({ op: "write", offset, data: data.toString("base64") });
      data.copy(head, offset);
    }
  }
  if (snapshot !== undefined) {
    changes.push({ op: "snapshot", name: snapshot });
    model.set(snapshot, Buffer.from(head));
  }
  return changes;
}

interface Place {
  readonly pool: librbd.Rbd;
  readonly name: string;
}

const specOf = ({ pool, name }: Place) => `${pool.io.poolName}/${name}`;

async function ourDigests({ pool, name }: Place): Promise<Record<string, string>> {
  await using head = await pool.open(name, { readOnly: true });
  const told: Record<string, string> = { "": digest(await head.read(0, head.size)) };
  for (const { name: snapshot } of await head.snapshots()) {
    await using image = await pool.open(name, { snapshot });
    told[snapshot] = digest(await image.read(0, image.size));
  }
  return told;
}

async function ours(place: Place, changes: readonly Change[]): Promise<Record<string, string>> {
  {
    // Every other turn's data comes by way of a cache.
    const cache = changes.length % 2 === 1;
    await using image = await place.pool.open(place.name, { cache });
    for (const change of changes) {
      if (change.op === "write") {
        await image.write(change.offset, Buffer.from(change.data, "base64"));
      } else if (change.op === "zero") await image.writeZeroes(change.offset, change.length);
      else await image.createSnapshot(change.name);
    }
  }
  return await ourDigests(place);
}

async function theirs(
  { pool, name }: Place,
  changes: readonly Change[],
): Promise<Record<string, string>> {
  const lines = changes.map((change) => `${JSON.stringify(change)}\n`).join("");
  return JSON.parse(await tool(`/usr/bin/python3 ${TURN} ${pool.io.poolName} ${name}`, lines));
}

/** One of the two makes the changes, and then both find what the model has. */
async function turn(
  who: "ours" | "theirs",
  place: Place,
  model: Model,
  changes: readonly Change[],
  what: string,
): Promise<void> {
  const told = await (who === "ours" ? ours(place, changes) : theirs(place, changes));
  const seen = await (who === "ours" ? theirs(place, []) : ours(place, []));
  const expected = digestsOf(model);
  expect(told, `${what}: ${who}`).toEqual(expected);
  expect(seen, `${what}: the other than ${who}`).toEqual(expected);
}

/**
 * What migrates: an image with two snapshots and a clone of the first, one that has a parent, too, one without any of
 * these, or one of format 1 with snapshots.
 */
type Kind = "image" | "clone" | "bare" | "format1";

async function makeSource(dice: Dice, name: string, kind: Kind) {
  const place: Place = { pool: rbd, name };
  const model: Model = new Map([["", Buffer.alloc(SIZE)]]);
  const layout = { objectSize: 256 * KIB };
  if (kind === "clone") {
    const base: Place = { pool: rbd, name: `${name}-base` };
    await rbd.create(base.name, SIZE, layout);
    await ours(base, changesOf(dice, model, 6, "b"));
    model.delete("b");
    await rbd.clone({ image: base.name, snapshot: "b" }, name, { ...layout, format: 2 });
  } else if (kind === "format1") {
    const how = `--image-format 1 --size ${SIZE}B --object-size ${layout.objectSize}B`;
    await tool(`RBD_FORCE_ALLOW_V1=1 rbd create ${how} ${specOf(place)}`);
  } else await rbd.create(name, SIZE, layout);
  if (kind === "bare") {
    await ours(place, changesOf(dice, model, 6));
    return { place, model, child: undefined, childModel: undefined };
  }
  await ours(place, changesOf(dice, model, 5, "s1"));
  await theirs(place, changesOf(dice, model, 4, "s2"));
  await ours(place, changesOf(dice, model, 3));
  if (kind === "format1") return { place, model, child: undefined, childModel: undefined };
  const child: Place = { pool: rbd, name: `${name}-child` };
  await rbd.clone({ image: name, snapshot: "s1" }, child.name, { format: 2 });
  const childModel: Model = new Map([["", Buffer.from(model.get("s1") ?? [])]]);
  await ours(child, changesOf(dice, childModel, 2));
  return { place, model, child, childModel };
}

const LAYOUTS = [
  {},
  { objectSize: 64 * KIB, stripeUnit: 64 * KIB, stripeCount: 1 },
  { objectSize: 512 * KIB, stripeUnit: 16 * KIB, stripeCount: 3 },
] as const;
const layoutArgs = [
  "",
  "--object-size 64K --stripe-unit 64K --stripe-count 1",
  "--object-size 512K --stripe-unit 16K --stripe-count 3",
];

/** Ends an execution half way, as a signal does. */
async function executeHalf({ pool, name }: Place): Promise<void> {
  const half = new Error("half way");
  const onProgress = (done: number, total: number) => {
    if (done * 2 >= total) throw half;
  };
  await expect(pool.executeMigration(name, { onProgress })).rejects.toThrow(half);
  expect((await pool.migrationStatus(name)).state).toBe("executing");
}

const RUNS: readonly (readonly [Kind, "commit" | "abort"])[] = [
  ["image", "commit"],
  ["clone", "commit"],
  ["clone", "abort"],
  ["bare", "abort"],
  ["format1", "commit"],
  ["format1", "abort"],
];

for (let seed = 1; seed <= SEEDS; seed++) {
  for (const [number, [kind, end]] of RUNS.entries()) {
    const title = `${kind}, ${end}, seed ${seed}: every state has every revision's bytes for both`;
    test(title, async () => {
      const dice = new Dice(seed * 10 + number);
      await migrate(dice, { name: `${kind}-${end}-${seed}`, kind, end });
    }, 300_000);
  }
}

interface Run {
  readonly name: string;
  readonly kind: Kind;
  readonly end: "commit" | "abort";
}

async function migrate(dice: Dice, { name, kind, end }: Run): Promise<void> {
  const { place, model, child, childModel } = await makeSource(dice, name, kind);
  const to: Place = { pool: other, name: `${name}-moved` };
  const layout = dice.below(LAYOUTS.length);
  const flatten = kind === "clone" && dice.chance(0.3);
  const [first, second] = dice.chance(0.5)
    ? (["ours", "theirs"] as const)
    : (["theirs", "ours"] as const);
  const how = `layout ${layout}, ${first} first${flatten ? ", flat" : ""}`;
  const step = (who: "ours" | "theirs", what: string, count: number, snapshot?: string) =>
    turn(who, to, model, changesOf(dice, model, count, snapshot), `${how}: ${what}`);
  const checkChild = async (what: string, count = 0) => {
    if (child === undefined) return;
    const changes = changesOf(dice, childModel, count);
    await turn("ours", child, childModel, changes, `${how}: ${what}, the clone`);
  };
  const giveUp = async (what: string) => {
    await other.abortMigration(to.name);
    // The newer snapshots were the destination's.
    for (const newer of ["n1", "n2"]) model.delete(newer);
    const changes = changesOf(dice, model, 2);
    await turn(first, place, model, changes, `${how}: given up when ${what}`);
    await checkChild("given up", 1);
    expect((await other.list()).map((image) => image.name)).not.toContain(to.name);
  };
  const last = end === "commit" ? "executed" : dice.pick(["prepared", "half", "executed"]);

  await prepare(first, place, to, { layout, flatten });
  await step(second, "prepared", 0);
  await step(first, "prepared", 3);
  await checkChild("prepared", 1);
  await step(second, "with a new snapshot", 2, "n1");
  await step(first, "after a new snapshot", 3);
  if (last === "prepared") return await giveUp("prepared");
  await executeHalf(to);
  await step(second, "half executed", 3, "n2");
  await step(first, "half executed", 2);
  await checkChild("half executed");
  if (last === "half") return await giveUp("half executed");
  if (dice.chance(0.5)) await other.executeMigration(to.name);
  else await tool(`rbd migration execute --no-progress ${specOf(to)}`);
  expect((await other.migrationStatus(to.name)).state).toBe("executed");
  await step(second, "executed", 2);
  await checkChild("executed");
  const maps = [...model.keys()].map((snapshot) => {
    const spec = `${specOf(to)}${snapshot === "" ? "" : `@${snapshot}`}`;
    return `rbd object-map check --no-progress ${spec}`;
  });
  // One of format 1 has no features, nor has what it becomes.
  if (kind !== "format1") await tool(maps.join(" && "));
  if (end === "abort") return await giveUp("executed");
  if (dice.chance(0.5)) await other.commitMigration(to.name);
  else await tool(`rbd migration commit --force --no-progress ${specOf(to)}`);
  await step(first, "committed", 2);
  await checkChild("committed", 1);
  expect(await rbd.listTrash()).toEqual([]);
}

async function prepare(
  who: "ours" | "theirs",
  from: Place,
  to: Place,
  { layout, flatten }: { readonly layout: number; readonly flatten: boolean },
): Promise<void> {
  if (who === "ours") {
    const options = { ...LAYOUTS[layout], flatten };
    await from.pool.prepareMigration(from.name, { io: to.pool.io, name: to.name }, options);
    return;
  }
  const args = `${layoutArgs[layout]} ${flatten ? "--flatten" : ""}`;
  await tool(
    `rbd --rbd-default-clone-format 2 migration prepare ${args} ${specOf(from)} ${specOf(to)}`,
  );
}

test("what a destination lost by becoming smaller does not come back from the source", async () => {
  const model: Model = new Map([["", Buffer.alloc(SIZE)]]);
  const place: Place = { pool: rbd, name: "shrinking" };
  const dice = new Dice(99);
  await rbd.create(place.name, SIZE, { objectSize: 256 * KIB });
  await ours(place, changesOf(dice, model, 12, "s"));
  await ours(place, changesOf(dice, model, 12));
  const to: Place = { pool: other, name: "shrunk" };
  await rbd.prepareMigration(place.name, { io: other.io, name: to.name });
  const less = 700 * KIB;
  {
    await using image = await other.open(to.name);
    await image.resize(less, { allowShrink: true });
    await image.resize(SIZE);
  }
  model.get("")?.fill(0, less);
  await turn("ours", to, model, [], "smaller and larger again");
  await turn("theirs", to, model, changesOf(dice, model, 2), "smaller and larger again");
  await other.abortMigration(to.name);
  await turn("ours", place, model, [], "given up");
});

test("who holds the lock copies for the other, and a migration's end is seen by who has it open", async () => {
  const model: Model = new Map([["", Buffer.alloc(SIZE)]]);
  const place: Place = { pool: rbd, name: "held" };
  const dice = new Dice(98);
  await rbd.create(place.name, SIZE, { objectSize: 256 * KIB });
  await ours(place, changesOf(dice, model, 9, "s"));
  await rbd.prepareMigration(
    place.name,
    {},
    { objectSize: 128 * KIB, stripeUnit: 128 * KIB, stripeCount: 1 },
  );
  {
    await using image = await rbd.open(place.name);
    await image.write(5, Buffer.from("kept"));
    model.get("")?.write("kept", 5);
    expect(image.hasLock).toBe(true);
    await tool(`rbd migration execute --no-progress ${specOf(place)}`);
    expect(image.hasLock).toBe(true);
    await tool(`rbd migration commit --no-progress ${specOf(place)}`);
    expect(digest(await image.read(0, SIZE))).toBe(digest(model.get("") ?? Buffer.alloc(0)));
    expect((await image.info()).features).not.toContain("migrating");
  }
  await turn("theirs", place, model, changesOf(dice, model, 1), "committed");
});

test("a preparation that is refused, or fails on its way, leaves the image as it was", async () => {
  const model: Model = new Map([["", Buffer.alloc(SIZE)]]);
  const place: Place = { pool: rbd, name: "unmoved" };
  await rbd.create(place.name, SIZE);
  await ours(place, changesOf(new Dice(97), model, 3, "s"));
  const prepareTo = (options: librbd.MigrationOptions) =>
    rbd.prepareMigration(place.name, { io: other.io, name: "to" }, options);
  {
    await using _open = await rbd.open(place.name);
    await expect(prepareTo({})).rejects.toMatchObject({ code: "EBUSY" });
  }
  await expect(prepareTo({ dataPool: "none" })).rejects.toMatchObject({ code: "ENOENT" });
  await expect(prepareTo({ objectSize: 1000 * KIB })).rejects.toMatchObject({ code: "EINVAL" });
  await other.create("to", KIB);
  await expect(prepareTo({})).rejects.toMatchObject({ code: "EEXIST" });
  await other.remove("to");
  const migrating = rbd.migrationStatus(place.name);
  await expect(migrating).rejects.toMatchObject({ code: "EINVAL" });
  expect(await rbd.listTrash()).toEqual([]);
  await turn("ours", place, model, [], "not moved");
  // Nor is another's name hidden where both are of format 1.
  for (const name of ["one", "two"]) await rbd.create(name, KIB, { format: 1 });
  const hiding = rbd.prepareMigration("one", { name: "two" });
  await expect(hiding).rejects.toMatchObject({ code: "EEXIST" });
  const names = (await rbd.list()).map((image) => image.name);
  expect(names).toEqual(expect.arrayContaining(["one", "two"]));
  expect(await tool("rbd info rbd/two")).toContain("format: 1");
});
