#!/usr/bin/env node
// npm test: install, build, check, then every tier of tests, the end-to-end ones with the real clients.
//
// Everything runs even after a failure, except that nothing is tested which could not be built. The
// last line sums up all test runs; the exit code is 0 only when every step and every test passed.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { install } from "./install.mjs";
import { ROOT, step } from "./steps.mjs";

/** Vitest projects in the order of cost, each with the folder that decides whether it has any test. */
const TIERS = [
  ["unit", "src"],
  ["vectors", "test/vectors"],
  ["property", "test/property"],
  ["compliance", "test/compliance"],
  ["compat", "test/compat"],
  ["crash", "test/crash"],
  ["fuzz", "test/fuzz"],
  ["sim", "test/sim"],
  ["interop", "test/interop"],
];
const REPORTS = join(ROOT, ".cache", "reports");

console.log("== install");
install();
const built = step("build", process.execPath, ["scripts/build.mjs"]);
const failedSteps = built ? [] : ["build"];
if (!step("check", process.execPath, ["scripts/check.mjs"])) failedSteps.push("check");
const total = { passed: 0, failed: 0 };
rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
for (const [tier, folder] of TIERS) {
  if (!hasTests(join(ROOT, folder))) continue;
  if (tier === "interop" && !built) {
    console.log("\n== interop: not run, because the build failed");
    continue;
  }
  const report = join(REPORTS, `${tier}.json`);
  const args = ["run", "--project", tier, "--reporter=default", "--reporter=json"];
  if (!step(tier, "vitest", [...args, `--outputFile.json=${report}`])) failedSteps.push(tier);
  count(report, tier);
}
if (failedSteps.length > 0) console.log(`\nfailed: ${failedSteps.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(failedSteps.length > 0 || total.failed > 0 ? 1 : 0);

function hasTests(folder) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((name) => name.endsWith(".test.ts"));
}

/** Adds one run's counts. A skipped test counts as failed: tests never pass by skipping. */
function count(report, tier) {
  if (!existsSync(report)) return;
  const result = JSON.parse(readFileSync(report, "utf8"));
  total.passed += result.numPassedTests;
  const skipped = result.numPendingTests + (result.numTodoTests ?? 0);
  total.failed += result.numTotalTests - result.numPassedTests;
  if (skipped > 0) {
    console.log(`${tier}: ${skipped} tests did not run`);
    failedSteps.push(`${tier} (not run)`);
  }
  // A file that fails to load has no test to count.
  total.failed += result.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
}
