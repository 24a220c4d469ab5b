/**
 * A day's work done by our `rbd` and `rados`, and once more by Ceph's, on one cluster: either's images and objects are
 * told of by both alike, and hold the same bytes. With SPIRULA_TARGET=ceph on a real cluster of three OSDs;
 * SPIRULA_RELEASE and SPIRULA_CLIENTS take its daemons and Ceph's tools from other releases of Debian.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dice } from "../harness/dice.ts";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { clientEnv, must, outputOf, sh } from "../harness/run.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const MIB = 1 << 20;
/** 128 and SIGABRT. */
const ABORTED = 134;
const WHO = ["ours", "ceph"] as const;
type Who = (typeof WHO)[number];

/** In the writer's own pool, which is the default of all of them. */
const WORK = `
rbd create --size 64M disk
rbd import --no-progress base.raw imported
rbd resize --no-progress --size 96M imported
rbd snap create --no-progress imported@one
rbd import-diff --no-progress patch.diff imported
rbd snap create --no-progress imported@two
rbd snap protect imported@one
rbd clone imported@one child
rbd import-diff --no-progress patch.diff child
rbd snap create --no-progress child@own
rbd clone --rbd-default-clone-format 2 imported@two flat
rbd flatten --no-progress flat
rbd copy --no-progress imported@one copied
rbd deep cp --no-progress imported deep
rbd rename copied moved
rbd import --no-progress --object-size 1M --stripe-unit 64K --stripe-count 3 base.raw striped
rbd resize --no-progress --allow-shrink --size 20M striped
rbd create --size 8M back
rbd import-diff --no-progress patch.diff back
rbd snap create --no-progress back@before
rbd resize --no-progress --allow-shrink --size 4M back
rbd snap rollback --no-progress back@before
rbd image-meta set imported key value
rbd feature disable deep fast-diff object-map
rbd feature enable deep object-map fast-diff
rbd object-map rebuild --no-progress deep
rbd group create crowd
rbd group image add crowd imported
rbd group image add crowd disk
rbd group snap create crowd@then
rbd namespace create POOL/apart
rbd import --no-progress base.raw POOL/apart/inside
rbd create --size 4M gone
rbd trash mv gone
rbd sparsify --no-progress flat
rados put object base.raw
rados setxattr object name value
rados setomapval object key text
rados -N corner put there patch.diff
`;

/** What both are asked of a pool. */
const QUESTIONS = [
  "rbd ls --long --format json",
  "rbd ls --long",
  "rbd du --format json",
  "rbd trash ls --format json",
  "rbd group ls --format json",
  "rbd group image ls crowd --format json",
  "rbd group snap ls crowd --format json",
  "rbd namespace ls --format json",
  "rbd children imported@one --format json",
  "rbd image-meta ls imported --format json",
  "rbd ls POOL/apart --format json",
  "rbd info POOL/apart/inside --format json",
  "rados ls --all | sort",
  "rados listxattr object",
  "rados listomapvals object",
  "rados stat object",
];
const IMAGES = ["disk", "imported", "child", "flat", "moved", "deep", "striped", "back"];
/** And of each image. */
const OF_IMAGE = [
  "rbd info IMAGE --format json",
  "rbd info IMAGE",
  "rbd snap ls IMAGE --format json",
  "rbd status IMAGE --format json",
  "rbd diff IMAGE --format json",
  "rbd diff --whole-object IMAGE --format json",
  "rbd export --no-progress IMAGE - | sha256sum",
  "rbd export --no-progress --export-format 2 IMAGE - | sha256sum",
];
/** Not asked of these, for Pacific's own answers are wrong; ours are tested elsewhere. */
const NOT_ASKED: readonly (readonly [question: string, images: readonly string[]])[] = [
  // Group snapshots make the original end with ENOENT half-way.
  ["--export-format 2", ["imported", "disk"]],
  // From object maps it knows nothing of a parent, and takes offsets in objects for offsets in the image.
  ["--whole-object", ["child", "striped"]],
];
/** Nor of the tools of later releases: what they tell in another way, or more of, by SPIRULA_CLIENTS. */
const LATER: Readonly<Record<string, typeof NOT_ASKED>> = {
  // Another length of the snapshots' protection.
  trixie: [["--export-format 2", ["child", "deep", "back"]]],
  // Ids and another word for the state of a group's snapshots.
  testing: [
    ["--export-format 2", ["child", "deep", "back"]],
    ["rbd group snap ls", [""]],
  ],
};
const notAsked = [...NOT_ASKED, ...(LATER[process.env["SPIRULA_CLIENTS"] ?? ""] ?? [])];
const isAsked = (line: string, image = "") =>
  !notAsked.some(([question, images]) => line.includes(question) && images.includes(image));
const SINCE = [
  "rbd diff --from-snap one imported@two --format json",
  "rbd diff --from-snap two imported --format json",
  "rbd export-diff --no-progress --from-snap one imported@two - | sha256sum",
  "rbd export --no-progress imported@one - | sha256sum",
  "rbd export --no-progress child@own - | sha256sum",
];

let work: TempDir;
let server: Target;
let inside: Record<Who, (command: string) => string>;

beforeAll(async () => {
  work = await tempDir("round-trip");
  server = await startTarget(work.path, { osds: 3 });
  const bin = await ownTools(work.path, ["rbd", "rados"]);
  inside = { ours: withTools(bin), ceph: await clientsOfRelease(work.path) };
  const dice = new Dice(27);
  const base = Buffer.alloc(40 * MIB);
  for (let i = 0; i < 12; i++) base.set(dice.bytes(700_000), dice.below(base.length - 700_000));
  await writeFile(join(work.path, "base.raw"), base);
  const patch = Buffer.alloc(12 * MIB);
  for (let i = 0; i < 5; i++) patch.set(dice.bytes(100_000), dice.below(8 * MIB));
  await writeFile(join(work.path, "patch.raw"), patch);
  for (const pool of WHO)
    await ask("ceph", "rbd", `ceph osd pool create ${pool} 8 && rbd pool init ${pool}`);
  await ask(
    "ceph",
    "rbd",
    "rbd import --no-progress patch.raw patch && rbd export-diff --no-progress patch patch.diff",
  );
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

async function ask(who: Who, pool: string, command: string): Promise<string> {
  const env = {
    ...clientEnv(server.confPath),
    CEPH_ARGS: `--rbd-default-pool ${pool}`,
  };
  const line = command
    .replaceAll("POOL/", `${pool}/`)
    .replaceAll(/\brados (?=[a-zN-])/g, `rados -p ${pool} `);
  const told = `set -o pipefail; ${inside[who](line)}`;
  const at = { env, cwd: work.path, timeoutMs: 300_000 };
  const first = await sh(told, at);
  // A 16.2 client may abort as it ends, with all that was to be done done: whoever only asks asks again.
  if (first.code === ABORTED && QUESTIONS.includes(command)) return await must(told, at);
  return outputOf(first);
}

const sha = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

for (const writer of WHO) {
  describe(`what ${writer} has made`, () => {
    test("is made", async () => {
      for (const line of WORK.trim().split("\n")) await ask(writer, writer, line);
    }, 600_000);

    test.each([
      ...QUESTIONS.filter((line) => isAsked(line)),
      ...IMAGES.flatMap((image) =>
        OF_IMAGE.filter((line) => isAsked(line, image)).map((line) => line.replace("IMAGE", image)),
      ),
      ...SINCE,
    ])("is told of alike: %s", async (question) => {
      expect(await ask("ours", writer, question)).toBe(await ask("ceph", writer, question));
    });

    test("is what went in, for qemu-img too", async () => {
      const base = await readFile(join(work.path, "base.raw"));
      const patch = await readFile(join(work.path, "patch.raw"));
      const first = Buffer.concat([base], 96 * MIB);
      await ask("ceph", writer, `qemu-img convert -O raw rbd:${writer}/apart/inside out.raw`);
      expect(sha(await readFile(join(work.path, "out.raw")))).toBe(sha(base));
      await ask("ceph", writer, `qemu-img convert -O raw rbd:${writer}/imported@one out.raw`);
      expect(sha(await readFile(join(work.path, "out.raw")))).toBe(sha(first));
      const back = await ask("ours", writer, "rbd export --no-progress back - | sha256sum");
      expect(back.split(" ")[0]).toBe(sha(patch));
      await ask(
        "ours",
        writer,
        "for i in imported child flat deep; do rbd object-map check --no-progress $i; done",
      );
    });
  });
}

test("both have made the same images", async () => {
  const content = async (who: Who) => {
    const all: string[] = [];
    for (const image of [...IMAGES, "imported@one", "imported@two", "child@own", "deep@two"]) {
      all.push(
        `${image} ${await ask("ceph", who, `rbd export --no-progress ${image} - | sha256sum`)}`,
      );
    }
    return all;
  };
  expect(await content("ours")).toEqual(await content("ceph"));
});
