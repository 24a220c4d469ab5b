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
const harness = await loadTs("test/harness/quickstart.ts");

const data = join(ROOT, "data");
const isNew = !existsSync(data);
let starting;
let leaving = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    // A terminal that hung up takes no more words.
    if (!leaving && signal !== "SIGHUP") console.log("\nstopping");
    void leave(0);
  });
}
// Everything up to the invitation; ends early, and cleans up behind it, when `leave` ends its children.
const work = main();
await work;
await new Promise(() => setInterval(() => undefined, 60_000));

async function main() {
  try {
    console.log("\n== guest: a small Linux to boot from an image");
    const guest = await harness.buildGuest();
    console.log("\n== start\n$ bin/spirula start --data ./data --port 0");
    starting = harness.startSpirula({ dir: data });
    const server = await starting;
    if (leaving) return;
    console.log(server.output().trimEnd());
    if (isNew) await walk(server, guest);
    else
      console.log("\n./data is from an earlier run and was started as it is; remove it for a walk");
    invite(server);
  } catch (error) {
    if (leaving) return;
    console.error(`quickstart: ${error.message}`);
    void leave(1);
  }
}

async function walk(server, guest) {
  const dir = await mkdtemp(join(tmpdir(), "spirula-quickstart-"));
  try {
    await copyFile(guest, join(dir, "guest.qcow2"));
    await harness.walkThrough(server.confPath, dir);
  } catch (error) {
    throw new Error(`${error.message}\n${server.output().slice(-3000)}`, { cause: error });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function invite(server) {
  console.log(`
== The cluster stays up until Ctrl-C. In a second terminal, type:

  export CEPH_CONF=${server.confPath}
  ceph -s
  rbd ls -l
  qemu-img info rbd:rbd/fedora
  qemu-system-x86_64 -nographic -m 1G -drive format=raw,file=rbd:rbd/fedora   # type halt to leave
`);
}

/** Ends what the walk is doing, then stops the cluster as an operator does, then leaves. */
async function leave(code) {
  if (leaving) return;
  leaving = true;
  const server = await starting?.catch(() => undefined);
  harness.endChildren(server === undefined ? [] : [server.pid]);
  await work;
  await server?.stop();
  process.exit(code);
}
