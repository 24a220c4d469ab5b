/**
 * Moving a pool's images from one cluster to another: snapshots, clones and metadata come along, an end at any
 * point is gone on from, and what Ceph's own tools read there is what they read here. The source is ours; the
 * target, with SPIRULA_TARGET=ceph, a real cluster.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import type * as librbd from "../../src/librbd/index.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must, sh } from "../harness/run.ts";
import { SPIRULA, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let rados: typeof librados;
let api: typeof librbd;
let work: TempDir;
let home: SpirulaServer;
let away: Target;
/** For the tools that look at the destination. */
let inside: (command: string) => string;
let from: librados.Cluster;
let to: librados.Cluster;

beforeAll(async () => {
  rados = await loadPackage<typeof librados>("rados");
  api = await loadPackage<typeof librbd>("rbd");
  work = await tempDir("transfer");
  home = await startSpirula({ dir: join(work.path, "home") });
  away = await startTarget(work.path);
  inside = await clientsOfRelease(work.path);
  from = await rados.connect({ conf: home.confPath, env: {} });
  to = await rados.connect({ conf: away.confPath, env: {} });
});

afterAll(async () => {
  await from?.close();
  await to?.close();
  await home?.stop();
  await away?.stop();
  await work?.remove();
});

const here = (command: string) => must(command, options(home.confPath));
const there = (command: string) => must(inside(command), options(away.confPath));
function options(confPath: string) {
  return { env: clientEnv(confPath), cwd: work.path, timeoutMs: 180_000 };
}

/** What is in it, by Ceph's own tool. */
async function digest(run: typeof here, spec: string): Promise<string> {
  return await run(`rbd export --no-progress ${spec} - | sha256sum`);
}

/** Name, size and protection of each snapshot, by Ceph's own tool. */
async function snapshots(run: typeof here, image: string): Promise<unknown[]> {
  const text = await run(`rbd snap ls --format json ${image}`);
  const list = JSON.parse(text) as { name: string; size: number; protected: string }[];
  return list.map((snap) => [snap.name, snap.size, snap.protected]);
}

function noise(name: string, bytes: number): Buffer {
  const blocks = Array.from({ length: bytes / 32 }, (_, i) =>
    createHash("sha256").update(`${name} ${i}`).digest(),
  );
  return Buffer.concat(blocks);
}

const MIB = 2 ** 20;

test("a pool's images are the same there, after ends at any point on the way", async () => {
  await here("rbd namespace create rbd/tenant && rbd create --size 8M rbd/tenant/own");
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("base", 24 * MIB, { objectSize: MIB });
  {
    await using base = await rbd.open("base");
    await base.write(0, noise("one", 6 * MIB));
    await base.createSnapshot("s1");
    await base.write(2 * MIB, noise("two", 3 * MIB));
    await base.discard(4 * MIB, 2 * MIB);
    await base.resize(40 * MIB);
    await base.write(39 * MIB, noise("end", MIB));
    await base.createSnapshot("s2");
    await base.protectSnapshot("s2");
    await base.resize(30 * MIB, { allowShrink: true });
    await base.setMetadata("owner", "mö");
    await base.setMetadata("conf_rbd_cache", "false");
  }
  await rbd.clone({ image: "base", snapshot: "s2" }, "child", { format: 2 });
  {
    await using child = await rbd.open("child");
    await child.write(10 * MIB, noise("own", MIB));
    // A hole that hides what the parent has.
    await child.writeZeroes(MIB, MIB);
    await child.createSnapshot("c1");
    await child.resize(20 * MIB, { allowShrink: true });
    await child.resize(26 * MIB);
    await child.write(25 * MIB, noise("grown", MIB / 2));
  }

  // Ended by whatever is told of progress: each time a little later.
  let ends = 0;
  for (let steps = 1; ; steps++) {
    let left = steps;
    const onProgress = () => {
      if (left-- === 0) throw new Error("ended");
    };
    try {
      await api.transferPool(from, to, "rbd", { onProgress, verify: false });
      break;
    } catch (error) {
      expect((error as Error).message).toBe("ended");
      ends++;
    }
  }
  expect(ends).toBeGreaterThan(6);

  for (const spec of ["base@s1", "base@s2", "base", "child@c1", "child", "tenant/own"]) {
    expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
  }
  expect(await there("rbd ls rbd; rbd ls rbd/tenant")).toBe("base\nchild\nown\n");
  expect(await there("rbd children rbd/base@s2")).toBe("rbd/child\n");
  expect(await snapshots(there, "rbd/base")).toEqual(await snapshots(here, "rbd/base"));
  expect(await there("rbd image-meta get rbd/base owner")).toBe("mö\n");
  await there(
    "rbd object-map check --no-progress rbd/base; rbd object-map check --no-progress rbd/child",
  );
});

test("images that are there are left alone, unless they are to be brought up to date", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  {
    await using base = await rbd.open("base");
    await base.write(0, noise("later", MIB));
  }
  await there("rbd bench --io-type write --io-size 4K --io-total 64K rbd/base");
  const before = await digest(there, "rbd/base");
  const notes: string[] = [];
  const onNote = (line: string) => void notes.push(line);
  expect(await api.transferPool(from, to, "rbd", { images: ["base"], onNote })).toEqual([]);
  expect(notes).toEqual(["base: is there already, and was left as it is"]);
  expect(await digest(there, "rbd/base")).toBe(before);
  const again = { images: ["base"], again: true };
  expect(await api.transferPool(from, to, "rbd", again)).toEqual(["base"]);
  expect(await digest(there, "rbd/base")).toBe(await digest(here, "rbd/base"));
});

test("one that is in use is not touched, nor one that is somebody else's", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("busy", MIB);
  await rbd.create("taken", MIB);
  await there("rbd create --size 2M rbd/taken");
  const moved = (images: string[]) => api.transferPool(from, to, "rbd", { images });
  {
    await using busy = await rbd.open("busy");
    expect(busy.size).toBe(MIB);
    await expect(moved(["busy"])).rejects.toMatchObject({ code: "EBUSY" });
  }
  await expect(moved(["taken"])).rejects.toMatchObject({ code: "EEXIST" });
  await expect(moved(["nothing"])).rejects.toMatchObject({ code: "ENOENT" });
  expect(JSON.parse(await there("rbd info --format json rbd/taken")).size).toBe(2 * MIB);
});

test.each([
  ["lost", false],
  ["made anew under the old name", true],
])(
  "a snapshot that the source has %s since it was ended is no base to go on from",
  async (_what, isAnew) => {
    const name = isAnew ? "anew" : "lost";
    const rbd = await api.Rbd.open(from, "rbd");
    await rbd.create(name, 8 * MIB, { objectSize: MIB });
    {
      await using image = await rbd.open(name);
      await image.write(0, noise("a", MIB));
      await image.createSnapshot("one");
      for (const at of [1, 2, 3, 4]) await image.write(at * MIB, noise(`b${at}`, MIB));
    }
    // Ends in the head's copy, after some of it.
    let left = 2;
    const onProgress = ({ snapshot }: { snapshot: string | undefined }) => {
      if (snapshot === undefined && left-- === 0) throw new Error("ended");
    };
    const ended = api.transferPool(from, to, "rbd", { images: [name], onProgress });
    await expect(ended).rejects.toThrow("ended");
    {
      await using image = await rbd.open(name);
      await image.removeSnapshot("one");
      // What was copied last goes, and the first block is another one.
      await image.discard(MIB, 2 * MIB);
      await image.write(0, noise("c", MIB));
      if (isAnew) await image.createSnapshot("one");
      await image.write(5 * MIB, noise("d", MIB));
    }
    expect(await api.transferPool(from, to, "rbd", { images: [name] })).toEqual([name]);
    for (const spec of isAnew ? [name, `${name}@one`] : [name]) {
      expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
    }
    expect(await there(`rbd snap ls rbd/${name} | wc -l; rbd ls | grep ${name}`)).toBe(
      `${isAnew ? 2 : 0}\n${name}\n`,
    );
  },
);

test("nobody writes to an image while it is read, and one with a journal comes along without it", async () => {
  await here("rbd create --size 4M --image-feature exclusive-lock,journaling rbd/log");
  await here("rbd bench --io-type write --io-size 4K --io-total 64K rbd/log");
  let tried: Promise<{ code: number }> | undefined;
  const onProgress = () => {
    tried ??= sh("timeout -k 1 3 rbd bench --io-type write --io-size 4K --io-total 4K rbd/log", {
      ...options(home.confPath),
    });
  };
  const moved = api.transferPool(from, to, "rbd", { images: ["log"], onProgress });
  // Who tries meanwhile is refused, or waits; if it is there still at the end, that is told.
  const outcome = await moved.catch((error: Error & { code?: string }) => error.code);
  expect(["EBUSY", "log"]).toContain(Array.isArray(outcome) ? outcome[0] : outcome);
  await tried;
  const again = { images: ["log"], again: true };
  expect(await api.transferPool(from, to, "rbd", again)).toEqual(["log"]);
  expect(await digest(there, "rbd/log")).toBe(await digest(here, "rbd/log"));
  expect(JSON.parse(await there("rbd info rbd/log --format json")).features).toEqual([
    "exclusive-lock",
  ]);
});

test("the command tells what it brought, what it left, and why it could not", async () => {
  await here("rbd create --size 3M rbd/told && rbd trash mv rbd/busy");
  const transfer = `node ${SPIRULA} transfer rbd --from ${home.confPath} --to ${away.confPath}`;
  const done = await sh(`${transfer} --image told`, { cwd: work.path, timeoutMs: 60_000 });
  expect(done).toMatchObject({ code: 0, stdout: "told: transferred and compared\n" });
  expect(done.stderr).toBe("the trash of rbd/ stays: 1 images\n");
  const taken = await sh(`${transfer} --image taken`, { cwd: work.path, timeoutMs: 60_000 });
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain("the target has another image of this name");
  const nowhere = await sh(`node ${SPIRULA} transfer rbd --to /nowhere.conf`, { cwd: work.path });
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toMatch(/^spirula transfer: the .*\n$/);
});

/** Ends a transfer in the comparison: behind what is told at the end of the head's copy. */
function endInComparison(): (step: {
  snapshot: string | undefined;
  done: number;
  total: number;
}) => void {
  let isCopied = false;
  return ({ snapshot, done, total }) => {
    if (isCopied) throw new Error("ended");
    isCopied = snapshot === undefined && done === total;
  };
}

test("an image has its name, and counts as done, once it is compared", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("compared", 8 * MIB, { objectSize: MIB });
  {
    await using image = await rbd.open("compared");
    await image.write(0, noise("c", MIB));
  }
  const images = ["compared"];
  const ended = api.transferPool(from, to, "rbd", { images, onProgress: endInComparison() });
  await expect(ended).rejects.toThrow("ended");
  expect(await there("rbd ls rbd | grep -x compared || echo none")).toBe("none\n");
  expect(await api.transferPool(from, to, "rbd", { images })).toEqual(images);
  expect(await digest(there, "rbd/compared")).toBe(await digest(here, "rbd/compared"));
});

test("a copy that is found wrong is not gone on from", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  const target = await api.Rbd.open(to, "rbd");
  const id = await rbd.create("wrong", 64 * MIB, { features: ["layering"] });
  {
    await using image = await rbd.open("wrong");
    await image.write(0, noise("w", MIB));
    await image.createSnapshot("one");
  }
  const images = ["wrong"];
  let isCopied = false;
  let tampering: Promise<void> | undefined;
  const onProgress = ({
    snapshot,
    done,
    total,
  }: {
    snapshot: string | undefined;
    done: number;
    total: number;
  }) => {
    if (isCopied) {
      tampering ??= (async () => {
        await using copy = await target.open(`wrong.transfer-${id}`);
        await copy.write(63 * MIB, noise("x", MIB));
      })();
    }
    isCopied ||= snapshot === undefined && done === total;
  };
  const moved = api.transferPool(from, to, "rbd", { images, onProgress });
  await expect(moved).rejects.toMatchObject({ code: "EILSEQ" });
  await tampering;
  expect(await there("rbd ls rbd | grep -x wrong || echo none")).toBe("none\n");
  expect(await api.transferPool(from, to, "rbd", { images })).toEqual(images);
  for (const spec of ["wrong@one", "wrong"]) {
    expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
  }
});

test("snapshots that have other names since are known still", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("rotated", 8 * MIB, { objectSize: MIB });
  await using image = await rbd.open("rotated");
  const take = async (part: number) => {
    await image.write(part * MIB, noise(`r${part}`, MIB));
    await image.createSnapshot("daily.0");
  };
  await take(0);
  await image.renameSnapshot("daily.0", "daily.1");
  await take(1);
  await image.write(2 * MIB, noise("head", MIB));
  await image.close();
  const images = ["rotated"];
  await api.transferPool(from, to, "rbd", { images });
  {
    await using again = await rbd.open("rotated");
    await again.renameSnapshot("daily.1", "daily.2");
    await again.renameSnapshot("daily.0", "daily.1");
    await again.write(3 * MIB, noise("newer", MIB));
    await again.createSnapshot("daily.0");
  }
  expect(await api.transferPool(from, to, "rbd", { images, again: true, verify: false })).toEqual(
    images,
  );
  for (const spec of ["rotated@daily.2", "rotated@daily.1", "rotated@daily.0", "rotated"]) {
    expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
  }
  expect(await snapshots(there, "rbd/rotated")).toEqual(await snapshots(here, "rbd/rotated"));
});

test("a snapshot that has gone from the target comes back, with those after it", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  const target = await api.Rbd.open(to, "rbd");
  await rbd.create("holed", 8 * MIB, { objectSize: MIB });
  const names = ["one", "two", "three"];
  {
    await using image = await rbd.open("holed");
    for (const [part, name] of names.entries()) {
      await image.write(part * MIB, noise(name, MIB));
      await image.createSnapshot(name);
    }
  }
  const options = { images: ["holed"], verify: false };
  await api.transferPool(from, to, "rbd", options);
  {
    await using copy = await target.open("holed");
    await copy.removeSnapshot("two");
  }
  await api.transferPool(from, to, "rbd", { ...options, again: true });
  expect(await snapshots(there, "rbd/holed")).toEqual(await snapshots(here, "rbd/holed"));
  for (const spec of [...names.map((name) => `holed@${name}`), "holed"]) {
    expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
  }
});

test("a clone is one of its parent's copy, and of nothing else that has its name", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  const target = await api.Rbd.open(to, "rbd");
  for (const name of ["absent", "other"]) {
    await rbd.create(name, 4 * MIB, { objectSize: MIB });
    await using image = await rbd.open(name);
    await image.write(0, noise(name, MIB));
    await image.createSnapshot("s");
    await rbd.clone({ image: name, snapshot: "s" }, `of-${name}`, { format: 2 });
  }
  await target.create("other", 4 * MIB, { objectSize: MIB });
  {
    await using image = await target.open("other");
    await image.write(0, noise("somebody's", MIB));
    await image.createSnapshot("s");
  }
  const notes: string[] = [];
  const images = ["of-absent", "of-other"];
  const options = { images, verify: false, onNote: (line: string) => void notes.push(line) };
  expect(await api.transferPool(from, to, "rbd", options)).toEqual(images);
  for (const name of images) {
    expect(await digest(there, `rbd/${name}`), name).toBe(await digest(here, `rbd/${name}`));
    expect(notes).toContain(`${name}: its parent does not come along; it gets all that it shows`);
  }
});

test("what was begun as a clone is made anew once the source is none any more", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  const target = await api.Rbd.open(to, "rbd");
  await rbd.create("let-go", 4 * MIB, { objectSize: MIB });
  {
    await using parent = await rbd.open("let-go");
    await parent.write(0, noise("let-go", 4 * MIB));
    await parent.createSnapshot("s");
    await parent.protectSnapshot("s");
  }
  const id = await rbd.clone({ image: "let-go", snapshot: "s" }, "freed", { format: 2 });
  expect(await api.transferPool(from, to, "rbd", { images: ["let-go"] })).toEqual(["let-go"]);
  // As an end leaves it before the first byte.
  const begun = `freed.transfer-${id}`;
  await target.clone({ image: "let-go", snapshot: "s" }, begun, { format: 2 });
  {
    await using copy = await target.open(begun);
    await copy.setMetadata("spirula.transfer", `${from.fsid} ${id} clean`);
    await using source = await rbd.open("freed");
    await source.flatten();
    await source.discard(MIB, 2 * MIB);
  }
  const images = ["freed"];
  expect(await api.transferPool(from, to, "rbd", { images, verify: false })).toEqual(images);
  expect(await digest(there, "rbd/freed")).toBe(await digest(here, "rbd/freed"));
});

test("a clone that is flattened on the way shows at the end what it shows", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("freer", 4 * MIB, { objectSize: MIB });
  {
    await using parent = await rbd.open("freer");
    await parent.write(0, noise("freer", 4 * MIB));
    await parent.createSnapshot("s");
    await parent.protectSnapshot("s");
  }
  const features = ["layering", "exclusive-lock"];
  await rbd.clone({ image: "freer", snapshot: "s" }, "let-loose", { format: 2, features });
  {
    await using image = await rbd.open("let-loose");
    await image.createSnapshot("before");
    await image.write(0, noise("own", 4096));
  }
  const images = ["freer", "let-loose"];
  const onProgress = ({
    image: name,
    snapshot,
  }: {
    image: string;
    snapshot?: string | undefined;
  }) => {
    if (name === "let-loose" && snapshot === undefined) throw new Error("ended");
  };
  const ended = api.transferPool(from, to, "rbd", { images, onProgress, verify: false });
  await expect(ended).rejects.toThrow("ended");
  {
    await using source = await rbd.open("let-loose");
    await source.flatten();
    await source.discard(MIB, MIB);
    await source.discard(2 * MIB + 4096, 8192);
  }
  expect(await api.transferPool(from, to, "rbd", { images, verify: false })).toEqual(["let-loose"]);
  for (const spec of ["let-loose@before", "let-loose"]) {
    expect(await digest(there, `rbd/${spec}`), spec).toBe(await digest(here, `rbd/${spec}`));
  }
});

test("metadata that is gone on the source goes on the target", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.create("kept", 4 * MIB);
  {
    await using image = await rbd.open("kept");
    await image.setMetadata("conf_rbd_qos_iops_limit", "1");
    await image.setMetadata("owner", "me");
  }
  const images = ["kept"];
  await api.transferPool(from, to, "rbd", { images });
  {
    await using image = await rbd.open("kept");
    await image.removeMetadata("conf_rbd_qos_iops_limit");
  }
  await api.transferPool(from, to, "rbd", { images, again: true });
  const target = await api.Rbd.open(to, "rbd");
  await using copy = await target.open("kept");
  expect([...(await copy.metadata()).keys()]).toEqual(["owner", "spirula.transfer"]);
});

test("groups and journals stay behind, and are told of", async () => {
  const rbd = await api.Rbd.open(from, "rbd");
  await rbd.createGroup("team");
  const notes: string[] = [];
  const onNote = (line: string) => void notes.push(line);
  await api.transferPool(from, to, "rbd", { images: ["log"], again: true, onNote });
  expect(notes).toEqual(
    expect.arrayContaining(["the groups of rbd/ stay: team", "log: its journal stays"]),
  );
});
