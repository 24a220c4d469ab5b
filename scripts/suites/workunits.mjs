// Ceph's shell suites, qa/workunits/**/*.sh: each in a process group and on a cluster of its own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { loadTs } from "../load-ts.mjs";

const { clientEnv, killGroup, ownGroup } = await loadTs("test/harness/run.ts");

export const FOLDER = "qa/workunits";
/** What the suites read besides themselves. */
export const PATHS = [
  "qa/workunits/rbd",
  "qa/workunits/rados",
  "qa/workunits/mon",
  "qa/workunits/caps",
  "qa/workunits/cephtool",
  "qa/standalone/ceph-helpers.sh",
  "src/test/librbd/rbdrw.py",
  "src/test/librbd/test_notify.py",
];
/** Programs that the suites run besides Ceph's. */
const PROGRAMS = ["sudo", "xmlstarlet", "jq", "uuidgen", "bc"];
/** Lines shown of a suite that failed. */
const TAIL_LINES = 12;

/**
 * Programs of all suites, and of these, that are not installed here.
 * @param {readonly import("./workunit-table.mjs").Workunit[]} units
 */
export function programsMissing(units) {
  const wanted = new Set([...PROGRAMS, ...units.flatMap(({ needs = [] }) => needs)]);
  return [...wanted].filter((name) => spawnSync("which", [name]).status !== 0);
}

/**
 * Runs a suite. What it says goes to `log`.
 * @param {string} name `rbd/diff.sh`, or with the section to run: `cephtool/test.sh:auth`, `rbd/cli_generic.sh:test_ls`
 * @param {{ tree: string, dir: string, log: string, conf: string, minutes: number, tools?: string }} at
 *   `dir`: where it runs; `tools`: a folder of commands that are taken instead of the installed ones
 * @returns {Promise<{ passed: boolean, seconds: number, how: string }>}
 */
export async function runWorkunit(name, at) {
  const [suite, section] = name.split(":");
  const { path, args } = commandOf(join(at.tree, FOLDER, suite), section);
  mkdirSync(at.dir, { recursive: true });
  const env = { ...clientEnv(at.conf), TESTDIR: at.dir, TMPDIR: at.dir };
  // The Python that has the bindings comes first.
  env.PATH = `${at.tools === undefined ? "" : `${at.tools}:`}/usr/bin:${env.PATH}`;
  const log = openSync(at.log, "w");
  const startMs = performance.now();
  const child = spawn(path, args, {
    cwd: at.dir,
    env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  ownGroup(child);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid, "SIGKILL");
  }, at.minutes * 60_000);
  const [code, signal] = await once(child, "exit");
  clearTimeout(timer);
  // What it left in the background ends with it.
  killGroup(child.pid, "SIGKILL");
  const seconds = (performance.now() - startMs) / 1000;
  const how = timedOut ? `no end after ${at.minutes} min` : (signal ?? `exit ${code}`);
  return { passed: code === 0, seconds, how };
}

/** A suite that calls its parts one after the other, each by a line of its own. */
const CALL = /^test_\w+$/;

/**
 * How to run one section of a suite: by its own options; or, if it calls its parts in a row and has no options, as
 * a copy beside it without the calls of the other parts.
 */
function commandOf(path, section) {
  if (section === undefined) return { path, args: [] };
  const lines = readFileSync(path, "utf8").split("\n");
  if (!lines.includes(section)) {
    // The sockets of both clusters belong to whoever runs this: no need of sudo.
    return { path, args: ["--asok-does-not-need-root", "-t", section] };
  }
  const copy = join(dirname(path), `${section}.of.${basename(path)}`);
  const kept = lines.filter((line) => line === section || !CALL.test(line));
  writeFileSync(copy, kept.join("\n"), { mode: 0o755 });
  return { path: copy, args: [] };
}

/** The last lines of a log, indented. */
export function tailOf(log) {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
  return lines.map((line) => `    ${line.slice(0, 300)}`).join("\n");
}
