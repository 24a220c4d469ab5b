// Runs the steps of check and test: a heading, the command's own output, the time it took.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const ROOT = join(fileURLToPath(import.meta.url), "../..");

/** Runs one command in the checkout with its packages' binaries on the path; true when it exits 0. */
export function step(title, program, args) {
  console.log(`\n== ${title}`);
  const startMs = performance.now();
  const path = [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const result = spawnSync(program, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const ok = result.status === 0;
  const why = result.error === undefined ? "" : ` (${result.error.message})`;
  console.log(`-- ${title}: ${ok ? "ok" : "FAILED"}${why} in ${seconds} s`);
  return ok;
}
