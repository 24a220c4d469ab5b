// Ceph's own Python suites against a server: npm run test:suites -- --ceph DIR
//
// Takes src/test/pybind/test_*.py from a checkout of Ceph, a work tree or a bare git directory (of which
// --branch, by default pacific, is taken), as they are, and runs them with nose on a fresh Spirula of
// --osds N, or on the cluster of --conf FILE. --only test_rados.py:TestIoctx.test_lock,… narrows it down,
// --features N sets the features of the images of test_rbd.py, --minutes M is how long one suite may take.
// Fails if a test fails of which EXPECTED does not tell why.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

/** Debian's own: the bindings are built for no other. */
const PYTHON = "/usr/bin/python3";
const FOLDER = "src/test/pybind";
const SUITES = ["test_rados.py", "test_rbd.py"];

/** Tests that fail on Spirula, and why. */
const EXPECTED = {
  "test_rados.TestRados.test_get_pool_base_tier": "no cache tiers",
  "test_rados.TestIoctxEc.test_alignment": "no erasure-coded pools",
};

/** By suite, tests that are left out everywhere, unless they are asked for, and why. */
const LEFT_OUT = {
  "test_rbd.py": {
    test_diff_iterate: "fails on a real 16.2.15, too, and leaves an image that fails others",
  },
};

const { values } = parseArgs({
  options: {
    ceph: { type: "string" },
    branch: { type: "string", default: "pacific" },
    only: { type: "string" },
    conf: { type: "string" },
    osds: { type: "string", default: "1" },
    features: { type: "string" },
    minutes: { type: "string", default: "30" },
  },
});
if (values.ceph === undefined) {
  stop(
    "usage: npm run test:suites -- --ceph DIR [--only SUITE[:TEST],…] (options: scripts/test-suites.mjs)",
    2,
  );
}
requirePython();

const { run, clientEnv } = await loadTs("test/harness/run.ts");
const { tempDir } = await loadTs("test/harness/temp.ts");
const { requireBuild, startSpirula } = await loadTs("test/harness/spirula.ts");

const work = await tempDir("suites");
let server;
try {
  const jobs = jobsOf(values.only?.split(",") ?? SUITES);
  for (const { suite } of jobs) extract(suite);
  if (values.conf === undefined) {
    requireBuild();
    server = await startSpirula({ dir: join(work.path, "data"), osds: Number(values.osds) });
  }
  let unexpected = 0;
  for (const job of jobs) unexpected += await runSuite(job);
  process.exitCode = unexpected > 0 ? 1 : 0;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await server?.stop();
  await work.remove();
}

/** Suites in order, each with the tests asked for; none: all. */
function jobsOf(names) {
  const jobs = new Map();
  for (const name of names) {
    const [suite, test] = name.split(":");
    if (!/^test_\w+\.py$/.test(suite)) throw new Error(`${name}: not a suite`);
    const tests = jobs.get(suite) ?? [];
    jobs.set(suite, test === undefined ? tests : [...tests, test]);
  }
  return [...jobs].map(([suite, tests]) => ({ suite, tests }));
}

function extract(suite) {
  const target = join(work.path, suite);
  const source = join(values.ceph, FOLDER, suite);
  if (existsSync(source)) return copyFileSync(source, target);
  const object = `${values.branch}:${FOLDER}/${suite}`;
  const shown = spawnSync("git", ["-C", values.ceph, "show", object], { maxBuffer: 1 << 26 });
  if (shown.status !== 0) throw new Error(`${suite}: neither ${source} nor ${object} is there`);
  writeFileSync(target, shown.stdout);
}

/** Runs a suite and tells how it went. Returns how many tests failed of which that was not expected. */
async function runSuite({ suite, tests }) {
  const report = join(work.path, `${suite}.xml`);
  const file = join(work.path, suite);
  const targets = tests.length === 0 ? [file] : tests.map((test) => `${file}:${test}`);
  const leftOut = tests.length === 0 ? Object.entries(LEFT_OUT[suite] ?? {}) : [];
  const excludes = leftOut.flatMap(([name]) => ["-e", `^${name}$`]);
  const args = [
    "-m",
    "nose",
    "-v",
    "--with-xunit",
    `--xunit-file=${report}`,
    ...excludes,
    ...targets,
  ];
  const conf = values.conf === undefined ? server.confPath : resolve(values.conf);
  const env = { ...clientEnv(conf), PYTHONDONTWRITEBYTECODE: "1" };
  if (values.features !== undefined) env.RBD_FEATURES = values.features;
  const timeoutMs = Number(values.minutes) * 60_000;
  const result = await run(PYTHON, args, { cwd: work.path, env, timeoutMs });
  const said = result.stdout + result.stderr;
  if (!existsSync(report)) {
    const how = result.timedOut ? `no end after ${values.minutes} min` : `exit ${result.code}`;
    console.log(`${suite}: ${how}\n${said.slice(-3000)}`);
    return 1;
  }
  const { passed, failed, skipped } = resultsOf(readFileSync(report, "utf8"));
  const known = values.conf === undefined ? EXPECTED : {};
  const fresh = failed.filter((name) => !Object.hasOwn(known, name));
  const seconds = (result.durationMs / 1000).toFixed(0);
  console.log(
    `${suite}: ${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped (${seconds} s)`,
  );
  for (const [name, why] of leftOut) console.log(`  left out ${name}: ${why}`);
  for (const name of failed) console.log(`  FAILED ${name}: ${known[name] ?? "see below"}`);
  for (const name of passed.filter((test) => Object.hasOwn(known, test))) {
    console.log(`  passes, and was expected to fail: ${name}`);
  }
  if (fresh.length > 0) console.log(said.slice(said.indexOf("=====")));
  return fresh.length + (passed.length === 0 && failed.length === 0 ? 1 : 0);
}

/**
 * Names of tests by outcome, from nose's report.
 * @returns {{ passed: string[], failed: string[], skipped: string[] }}
 */
function resultsOf(xml) {
  const results = { passed: [], failed: [], skipped: [] };
  const testcase =
    /<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, group, name, inside = ""] of xml.matchAll(testcase)) {
    const tag = /^<(\w+)/.exec(inside)?.[1];
    const outcome = { skipped: "skipped", failure: "failed", error: "failed" }[tag] ?? "passed";
    results[outcome].push(`${group}.${name}`);
  }
  return results;
}

function requirePython() {
  const found = spawnSync(PYTHON, ["-c", "import nose, rados, rbd"], { encoding: "utf8" });
  if (found.status === 0) return;
  const why = found.stderr?.trim().split("\n").at(-1) ?? `no ${PYTHON}`;
  stop(
    `${why}; on Debian 12, as root, type:\n\n  apt-get install -y --no-install-recommends python3-nose python3-rados python3-rbd\n`,
  );
}

function stop(why, code = 1) {
  console.error(why);
  process.exit(code);
}
