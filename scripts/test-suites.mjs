// Ceph's own suites against a server: npm run test:suites -- --ceph DIR
//
// Takes the Python suites src/test/pybind/test_*.py and the shell suites qa/workunits/**/*.sh from a checkout
// of Ceph, a work tree or a bare git directory (of which --branch, by default pacific, is taken), as they are,
// and runs each on a fresh Spirula of --osds N. --real runs them on a fresh real cluster of as many OSDs instead,
// which is how one learns what has to pass; --conf FILE on a cluster that is there, all on the same one.
// --only test_rados.py:TestIoctx.test_lock,rbd/diff.sh,cephtool/test.sh:auth,… narrows it down; --shell and
// --python leave out the others. --features N sets the features of the images of test_rbd.py, --minutes M is
// how long one Python suite may take, --logs DIR is where what the shell suites said is kept. --own ceph,rados,rbd
// has shell suites run this package's own commands in place of those; they are to pass as with the originals, but
// for what the table says of them.
// Fails if a suite fails of which the tables (scripts/suites/) do not tell why.
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";
import * as python from "./suites/python.mjs";
import { takeFrom } from "./suites/source.mjs";
import { NOT_RUN, WORKUNITS } from "./suites/workunit-table.mjs";
import * as workunits from "./suites/workunits.mjs";

/** Debian's packages of programs that are called otherwise. */
const PACKAGES = { uuidgen: "uuid-runtime", fusermount: "fuse3" };

const { values } = parseArgs({
  options: {
    ceph: { type: "string" },
    branch: { type: "string", default: "pacific" },
    only: { type: "string" },
    shell: { type: "boolean", default: false },
    python: { type: "boolean", default: false },
    conf: { type: "string" },
    real: { type: "boolean", default: false },
    osds: { type: "string", default: "1" },
    features: { type: "string" },
    minutes: { type: "string", default: "30" },
    logs: { type: "string" },
    own: { type: "string" },
  },
});
if (values.ceph === undefined) {
  stop(
    "usage: npm run test:suites -- --ceph DIR [--real] [--only SUITE[:TEST],…] (options: scripts/test-suites.mjs)",
    2,
  );
}
const { tempDir } = await loadTs("test/harness/temp.ts");
const { requireBuild, startSpirula } = await loadTs("test/harness/spirula.ts");
const { dropRealCeph, startRealCeph } = await loadTs("test/harness/real-ceph.ts");
const { ownTools } = await loadTs("test/harness/own-tools.ts");
const { endChildren } = await loadTs("test/harness/run.ts");

const work = await tempDir("suites");
const tree = join(work.path, "ceph");
const logs = resolve(values.logs ?? join(work.path, "logs"));
let clusters = 0;
/** The cluster that is up, and the directory of one that is up or on its way. */
let current;
let currentDir;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void leave(signal));
try {
  const { pythonJobs, shellJobs } = jobsOf(values.only?.split(","));
  requireTools(pythonJobs.length > 0, shellJobs);
  if (values.conf === undefined && !values.real) requireBuild();
  let unexpected = 0;
  if (pythonJobs.length > 0) {
    takeFrom(
      source(),
      pythonJobs.map(({ suite }) => `${python.FOLDER}/${suite}`),
      tree,
    );
    unexpected += await onCluster((conf) => runPython(pythonJobs, conf));
  }
  if (shellJobs.length > 0) {
    takeFrom(source(), workunits.PATHS, tree);
    mkdirSync(logs, { recursive: true });
    unexpected += await runShell(shellJobs);
  }
  process.exitCode = unexpected > 0 ? 1 : 0;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await work.remove();
}

/** A real cluster's daemons are nobody's children: they have to be stopped. */
async function leave(signal) {
  console.error(signal);
  endChildren();
  if (values.real && currentDir !== undefined) await dropRealCeph(currentDir);
  else await current?.stop();
  await work.remove();
  process.exit(1);
}

function source() {
  return { ceph: values.ceph, branch: values.branch };
}

/** What to run: Python suites, each with the tests asked for (none: all), and shell suites. */
function jobsOf(names) {
  if (names === undefined) {
    const pythonJobs = python.SUITES.map((suite) => ({ suite, tests: [] }));
    return {
      pythonJobs: values.shell ? [] : pythonJobs,
      shellJobs: values.python ? [] : WORKUNITS,
    };
  }
  const pythonJobs = new Map();
  const shellJobs = [];
  for (const name of names) {
    const [suite, test] = name.split(":");
    if (/^test_\w+\.py$/.test(suite)) {
      const tests = pythonJobs.get(suite) ?? [];
      pythonJobs.set(suite, test === undefined ? tests : [...tests, test]);
      continue;
    }
    const known = WORKUNITS.filter(
      (unit) => unit.name === name || unit.name.startsWith(`${name}:`),
    );
    if (known.length === 0) throw new Error(`${name}: not a suite of scripts/suites/`);
    shellJobs.push(...known);
  }
  return {
    pythonJobs: [...pythonJobs].map(([suite, tests]) => ({ suite, tests })),
    shellJobs,
  };
}

/** Runs `body` with the conf of a fresh cluster, or of the one that was given, and ends the fresh one. */
async function onCluster(body) {
  if (values.conf !== undefined) return body(resolve(values.conf));
  const dir = join(work.path, `cluster${++clusters}`);
  currentDir = dir;
  const osds = Number(values.osds);
  const fresh = values.real
    ? await startRealCeph({ dir, osds })
    : await startSpirula({ dir, osds, readyTimeoutMs: 120_000 });
  current = fresh;
  try {
    // The daemons' own conf also tells where their admin sockets are.
    return await body(values.real ? join(dir, "cluster.conf") : fresh.confPath);
  } finally {
    current = undefined;
    await fresh.stop();
    currentDir = undefined;
    await rm(dir, { recursive: true, force: true });
  }
}

async function runPython(jobs, conf) {
  const real = values.real || values.conf !== undefined;
  const { features } = values;
  let unexpected = 0;
  for (const job of jobs) {
    const at = { tree, work: work.path, conf, real, features, minutes: Number(values.minutes) };
    unexpected += await python.runPythonSuite(job, at);
  }
  return unexpected;
}

/** Runs shell suites, prints a table, and returns how many failed that had to pass. */
async function runShell(units) {
  const own = values.own?.split(",") ?? [];
  const tools = own.length === 0 ? undefined : await ownTools(work.path, own);
  const rows = [];
  for (const unit of units) {
    const id = unit.name.replaceAll(/[/:]/g, "-");
    const log = join(logs, `${id}.log`);
    const minutes = unit.minutes ?? 10;
    const run = (conf) =>
      workunits.runWorkunit(unit.name, {
        tree,
        dir: join(work.path, id),
        log,
        conf,
        minutes,
        tools,
      });
    const result = await onCluster(run);
    const { real, ours } = knownOf(unit);
    const expected =
      real ??
      (values.real ? undefined : ours) ??
      own.map((tool) => unit.own?.[tool]).find((why) => why !== undefined);
    rows.push({ unit, result, expected });
    const outcome = result.passed ? "passed" : `FAILED (${result.how})`;
    console.log(`${unit.name}: ${outcome}, ${result.seconds.toFixed(0)} s`);
    if (!result.passed && expected === undefined) console.log(workunits.tailOf(log));
  }
  console.log(tableOf(rows));
  return rows.filter(({ result, expected }) => !result.passed && expected === undefined).length;
}

function knownOf(unit) {
  return Number(values.osds) > 1 ? (unit.several ?? unit) : unit;
}

function tableOf(rows) {
  const where = values.real ? "here: real" : "here";
  const lines = [["suite", "real 16.2.15", where, ""]];
  for (const { unit, result, expected } of rows) {
    const real = knownOf(unit).real === undefined ? "passes" : "fails";
    const note = result.passed
      ? expected === undefined
        ? ""
        : `was expected to fail: ${expected}`
      : (expected ?? "has to pass");
    lines.push([unit.name, real, result.passed ? "passed" : "FAILED", note]);
  }
  const widths = [0, 1, 2].map((i) => Math.max(...lines.map((line) => line[i].length)));
  const table = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const left = NOT_RUN.map(([name, why]) => `  ${name}: ${why}`);
  return ["", ...table, "", "not run:", ...left].join("\n");
}

function requireTools(forPython, units) {
  const why = forPython ? python.pythonMissing() : undefined;
  const missing = units.length > 0 ? workunits.programsMissing(units) : [];
  if (why === undefined && missing.length === 0) return;
  const packages = why === undefined ? [] : ["python3-nose", "python3-rados", "python3-rbd"];
  packages.push(...missing.map((name) => PACKAGES[name] ?? name));
  const what = why ?? `not installed: ${missing.join(", ")}`;
  const line = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  stop(`${what}; on Debian 12, as root, type:\n\n  ${line}\n`);
}

function stop(why, code = 1) {
  console.error(why);
  process.exit(code);
}
