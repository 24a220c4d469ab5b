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
const SEEDS = Number(process.env["MIGRATION_SEEDS"] ?? 2);
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
    await using image = await place.pool.open(place.name);
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

/** A source with two snapshots, a clone of the first, and perhaps a parent of its own. */
async function makeSource(dice: Dice, name: string, isClone: boolean) {
  const place: Place = { pool: rbd, name };
  const model: Model = new Map([["", Buffer.alloc(SIZE)]]);
  const layout = { objectSize: 256 * KIB };
  if (isClone) {
    const base: Place = { pool: rbd, name: `${name}-base` };
    await rbd.create(base.name, SIZE, layout);
    await ours(base, changesOf(dice, model, 6, "b"));
    model.delete("b");
    await rbd.clone({ image: base.name, snapshot: "b" }, name, { ...layout, format: 2 });
  } else await rbd.create(name, SIZE, layout);
  await ours(place, changesOf(dice, model, 5, "s1"));
  await theirs(place, changesOf(dice, model, 4, "s2"));
  await ours(place, changesOf(dice, model, 3));
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

for (let seed = 1; seed <= SEEDS; seed++) {
  for (const isClone of [false, true]) {
    for (const end of ["commit", "abort"] as const) {
      const kind = isClone ? "clone" : "image";
      test(`${kind}, ${end}, seed ${seed}: every state has every revision's bytes for both`, async () => {
        await migrate(new Dice(seed * 100 + (isClone ? 10 : 0) + (end === "abort" ? 1 : 0)), {
          name: `${kind}-${end}-${seed}`,
          isClone,
          end,
        });
      }, 180_000);
    }
  }
}

async function migrate(
  dice: Dice,
  options: { readonly name: string; readonly isClone: boolean; readonly end: "commit" | "abort" },
): Promise<void> {
  const { name, isClone, end } = options;
  const { place, model, child, childModel } = await makeSource(dice, name, isClone);
  const to: Place = { pool: other, name: `${name}-moved` };
  const layout = dice.below(LAYOUTS.length);
  const flatten = isClone && dice.chance(0.3);
  const order = dice.chance(0.5) ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
  const [first, second] = order;
  const how = `layout ${layout}, ${first} first${flatten ? ", flat" : ""}`;
  if (first === "ours") {
    await rbd.prepareMigration(
      name,
      { io: other.io, name: to.name },
      { ...LAYOUTS[layout], flatten },
    );
  } else {
    const flat = flatten ? "--flatten" : "";
    await tool(
      `rbd --rbd-default-clone-format 2 migration prepare ${layoutArgs[layout]} ${flat} rbd/${name} ${specOf(to)}`,
    );
  }
  const checkChild = (what: string, changes: readonly Change[] = []) =>
    turn("ours", child, childModel, changes, `${how}: ${what}, the clone`);

  await turn(second, to, model, [], `${how}: prepared`);
  await turn(first, to, model, changesOf(dice, model, 3), `${how}: prepared`);
  await checkChild("prepared", changesOf(dice, childModel, 1));
  await turn(second, to, model, changesOf(dice, model, 2, "n1"), `${how}: with a new snapshot`);
  await turn(first, to, model, changesOf(dice, model, 3), `${how}: after a new snapshot`);
  await executeHalf(to);
  await turn(second, to, model, changesOf(dice, model, 3, "n2"), `${how}: half executed`);
  await turn(first, to, model, changesOf(dice, model, 2), `${how}: half executed`);
  await checkChild("half executed");
  if (dice.chance(0.5)) await other.executeMigration(to.name);
  else await tool(`rbd migration execute --no-progress ${specOf(to)}`);
  expect((await other.migrationStatus(to.name)).state).toBe("executed");
  await turn(second, to, model, changesOf(dice, model, 2), `${how}: executed`);
  await checkChild("executed");
  for (const spec of ["", "@s1", "@s2", "@n1", "@n2"]) {
    await tool(`rbd object-map check --no-progress ${specOf(to)}${spec}`);
  }
  if (end === "commit") {
    if (dice.chance(0.5)) await other.commitMigration(to.name);
    else await tool(`rbd migration commit --force --no-progress ${specOf(to)}`);
    await turn(first, to, model, changesOf(dice, model, 2), `${how}: committed`);
    await checkChild("committed", changesOf(dice, childModel, 1));
    expect(await rbd.listTrash()).toEqual([]);
    return;
  }
  await other.abortMigration(to.name);
  // The newer snapshots were the destination's.
  for (const newer of ["n1", "n2"]) model.delete(newer);
  await turn(first, place, model, changesOf(dice, model, 2), `${how}: given up`);
  await checkChild("given up", changesOf(dice, childModel, 1));
  expect((await other.list()).map((image) => image.name)).not.toContain(to.name);
}
