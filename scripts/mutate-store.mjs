// Breaks one promise of the store at a time and demands that the crash tests notice each.
//
// node scripts/mutate-store.mjs [--seeds N] [name…]: copies the sources to .cache, applies one textual
// mutation, runs the crash project there. A mutation that survives is a hole in the tests: exit code 1.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { transformSync } from "esbuild";
import { loadTs } from "./load-ts.mjs";

const { MUTATIONS } = await loadTs("test/mutations/store.ts");
const { values, positionals } = parseArgs({
  options: { seeds: { type: "string", default: "40" } },
  allowPositionals: true,
});
const root = process.cwd();
const copy = join(root, ".cache", `mutant-${process.pid}`);
const survivors = [];
try {
  for (const [name, file, from, to] of MUTATIONS) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    for (const path of ["src/base", "src/encoding", "src/types", "src/store"]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    for (const path of ["test/crash", "test/compliance/object-store", "test/harness"]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    for (const path of ["package.json", "tsconfig.json", "vitest.config.ts"]) {
      cpSync(join(root, path), join(copy, path));
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const source = readFileSync(join(copy, file), "utf8");
    if (!source.includes(from)) throw new Error(`${name}: ${file} does not say: ${from}`);
    const mutant = source.replace(from, () => to);
    // One that is not even a program would be found by any test.
    transformSync(mutant, { loader: "ts" });
    writeFileSync(join(copy, file), mutant);
    const run = spawnSync("npx", ["vitest", "run", "--project", "crash", "--bail", "1"], {
      cwd: copy,
      env: { ...process.env, CRASH_SEEDS: values.seeds, NO_COLOR: "1" },
      encoding: "utf8",
      timeout: 600_000,
    });
    const found = run.status !== 0;
    if (!found) survivors.push(name);
    const why = /^\w*Error: .*$/m.exec(run.stdout + run.stderr)?.[0] ?? "";
    process.stdout.write(`${found ? "found   " : "SURVIVED"} ${name}  ${why.slice(0, 100)}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survivors.length > 0 ? 1 : 0;
