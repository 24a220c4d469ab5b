// What takes hours, before a release: npm run test:release -- --ceph DIR --logs DIR [--seed N] [--only A,B]
//
// Ceph's own suites with one OSD and with three, and test_rbd.py with other features; a million operations on images
// through librbd; 100,000 requests compared with a real cluster; the clients of three releases. Lanes run beside each
// other, the steps of a lane one after the other, each with a log of its own below --logs. Two cores are busy for more
// than two hours with it. --only runs some of the steps. Needs root (the suites have fixed names below /tmp: each lane of
// them has a /tmp of its own), 24 GB of memory, and what the steps need (docs/testing.md).
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    ceph: { type: "string" },
    logs: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
  },
});
if (values.ceph === undefined || values.logs === undefined) {
  console.error(
    "usage: npm run test:release -- --ceph DIR --logs DIR [--seed N] [--only STEP,STEP]",
  );
  process.exit(2);
}
const logs = resolve(values.logs);
const ceph = ["--ceph", resolve(values.ceph)];
const seed = ["--seed", values.seed];
const python = ["--python", "--only", "test_rbd.py"];

/** The name of each step, its npm script, and that one's arguments. */
const LANES = [
  [
    ["suites", "test:suites", [...ceph, "--logs", join(logs, "suites")]],
    ["features-1", "test:suites", [...ceph, ...python, "--features", "1"]],
    ["features-125", "test:suites", [...ceph, ...python, "--features", "125"]],
  ],
  [["suites-3", "test:suites", [...ceph, "--logs", join(logs, "suites-3"), "--osds", "3"]]],
  // A seed comes to 2,000 operations, and one of twenty to fewer, for librbd's own faults.
  [["fsx", "test:fsx", [...seed, "--seeds", "520", "--ops", "2000", "--jobs", "2", "--judged"]]],
  // Rounds that the real cluster does not see the end of count only as far as they got.
  [
    ["differential", "test:differential", [...seed, "--ops", "112000"]],
    ["matrix", "test:matrix", ["--record"]],
  ],
];
const wanted = values.only?.split(",");
const OWN_TMP = "mount -t tmpfs -o size=16g tmpfs /tmp && exec npm run";

mkdirSync(logs, { recursive: true });
console.log(`seed ${values.seed}, logs in ${logs}`);
const children = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    for (const child of children) process.kill(-child.pid, "SIGTERM");
    process.exitCode = 1;
  });
}
const results = (await Promise.all(LANES.map(runLane))).flat();
const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

async function runLane(steps) {
  const passed = [];
  for (const step of steps) {
    if (wanted !== undefined && !wanted.includes(step[0])) continue;
    passed.push(await runStep(...step));
  }
  return passed;
}

async function runStep(name, script, args) {
  const startMs = performance.now();
  const log = createWriteStream(join(logs, `${name}.log`));
  await new Promise((opened) => log.once("open", opened));
  const command =
    script === "test:suites"
      ? ["unshare", "--mount", "sh", "-c", `${OWN_TMP} "$@"`, "sh", script, "--", ...args]
      : ["npm", "run", script, "--", ...args];
  const child = spawn(command[0], command.slice(1), {
    detached: true,
    stdio: ["ignore", log, log],
  });
  children.add(child);
  const code = await new Promise((ended) => {
    child.once("error", (error) => ended(error.message));
    child.once("close", (status, signal) => ended(signal ?? status));
  });
  children.delete(child);
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  console.log(`${name}: ${code === 0 ? "passed" : `FAILED (${code})`}, ${minutes} min`);
  return code === 0;
}
