// Ceph's Python suites, src/test/pybind/test_*.py, with nose.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTs } from "../load-ts.mjs";

const { run, clientEnv } = await loadTs("test/harness/run.ts");

/** Debian's own: the bindings are built for no other. */
const PYTHON = "/usr/bin/python3";
export const FOLDER = "src/test/pybind";
export const SUITES = ["test_rados.py", "test_rbd.py"];

/** Tests that fail on Spirula, and why. */
const EXPECTED = {
  "test_rados.TestIoctxEc.test_alignment": "no erasure-coded pools",
};

/** By suite, tests that are left out everywhere, unless they are asked for, and why. */
const LEFT_OUT = {
  "test_rbd.py": {
    test_diff_iterate: "fails on a real 16.2.15, too, and leaves an image that fails others",
  },
};

/**
 * Runs a suite and tells how it went. Returns how many tests failed of which that was not expected.
 * @param {{ suite: string, tests: string[] }} job no tests: all
 * @param {{ tree: string, work: string, conf: string, real: boolean, features?: string, minutes: number }} at
 */
export async function runPythonSuite({ suite, tests }, at) {
  const report = join(at.work, `${suite}.xml`);
  const file = join(at.tree, FOLDER, suite);
  const targets = tests.length === 0 ? [file] : tests.map((test) => `${file}:${test}`);
  const leftOut = tests.length === 0 ? Object.entries(LEFT_OUT[suite] ?? {}) : [];
  const excludes = leftOut.flatMap(([name]) => ["-e", `^${name}$`]);
  const args = ["-m", "nose", "-v", "--with-xunit", `--xunit-file=${report}`];
  args.push(...excludes, ...targets);
  const env = { ...clientEnv(at.conf), PYTHONDONTWRITEBYTECODE: "1" };
  if (at.features !== undefined) env.RBD_FEATURES = at.features;
  const timeoutMs = at.minutes * 60_000;
  const result = await run(PYTHON, args, { cwd: at.work, env, timeoutMs });
  const said = result.stdout + result.stderr;
  if (!existsSync(report)) {
    const how = result.timedOut ? `no end after ${at.minutes} min` : `exit ${result.code}`;
    console.log(`${suite}: ${how}\n${said.slice(-3000)}`);
    return 1;
  }
  const { passed, failed, skipped } = resultsOf(readFileSync(report, "utf8"));
  const known = at.real ? {} : EXPECTED;
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

/** Why the Python suites cannot run here; undefined if they can. */
export function pythonMissing() {
  const found = spawnSync(PYTHON, ["-c", "import nose, rados, rbd"], { encoding: "utf8" });
  if (found.status === 0) return undefined;
  return found.stderr?.trim().split("\n").at(-1) ?? `no ${PYTHON}`;
}
