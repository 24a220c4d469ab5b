#!/usr/bin/env node
// npm run quickstart: install, build, start a cluster in ./data, walk through it, stay up.
//
// The walk-through runs on a new ./data only; an earlier one is started as it is. Ctrl-C stops it.
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { install } from "./install.mjs";
import { ROOT, step } from "./steps.mjs";

process.chdir(ROOT);
install();
if (!step("build", process.execPath, ["scripts/build.mjs"])) process.exit(1);
const { loadTs } = await import("./load-ts.mjs");
const { startSpirula } = await loadTs("test/harness/spirula.ts");
const { buildGuest } = await loadTs("test/harness/guest.ts");
const { walkThrough } = await loadTs("test/harness/walk.ts");

const data = join(ROOT, "data");
const isNew = !existsSync(data);
console.log("\n== guest: a small Linux to boot from an image");
const guest = await buildGuest();
console.log("\n== start\n$ bin/spirula start --data ./data --port 0");
const server = await startSpirula({ dir: data });
console.log(server.output().trimEnd());
process.once("SIGINT", () => void leave(0));
process.once("SIGTERM", () => void leave(0));

if (isNew) await walk();
else
  console.log("\n./data is from an earlier run and was started as it is; remove it for the walk");

console.log(`
== The cluster stays up until Ctrl-C. In a second terminal, type:

  export CEPH_CONF=${server.confPath}
  ceph -s
  rbd ls -l
  qemu-img info rbd:rbd/fedora
  qemu-system-x86_64 -nographic -m 1G -drive format=raw,file=rbd:rbd/fedora   (type halt to leave)
`);
await new Promise(() => setInterval(() => undefined, 60_000));

async function walk() {
  const work = await mkdtemp(join(tmpdir(), "spirula-quickstart-"));
  try {
    await copyFile(guest, join(work, "guest.qcow2"));
    await walkThrough(server.confPath, work);
  } catch (error) {
    console.error(`quickstart: ${error.message}\n${server.output().slice(-3000)}`);
    await leave(1);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function leave(code) {
  console.log("\nstopping");
  await server.stop();
  process.exit(code);
}
