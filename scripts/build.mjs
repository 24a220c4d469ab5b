#!/usr/bin/env node
// npm run build: dist/ with the library (tsc: JavaScript and declarations) and the command (esbuild).
//
// The command and the OSD's worker are bundled, so that starting them resolves no module graph; what only some
// verbs need is in files of its own, which the others do not read. All are in one folder: the worker is looked
// for beside whoever starts it. Packages with native parts stay outside: they pick their prebuild at run time.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { ROOT, step } from "./steps.mjs";

const ENTRIES = { spirula: "src/cli/main.ts", "osd-worker": "src/cluster/osd-worker.ts" };

// Importing the module looks at all that it exports, which opens standard input: whoever else reads from it is told
// that there is nothing (EAGAIN) for as long as the command runs.
const globalProcess = {
  name: "global-process",
  setup(building) {
    const namespace = "global-process";
    building.onResolve({ filter: /^node:process$/ }, ({ path }) => ({ path, namespace }));
    building.onLoad({ filter: /.*/, namespace }, () => ({
      contents: "export default globalThis.process;",
    }));
  },
};

await rm(join(ROOT, "dist"), { recursive: true, force: true });
if (!step("library", "tsc", ["-p", "tsconfig.build.json"])) process.exit(1);
await build({
  absWorkingDir: ROOT,
  entryPoints: ENTRIES,
  outdir: "dist",
  bundle: true,
  // Half the text to parse; names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["@node-rs/crc32", "fs-native-extensions"],
  plugins: [globalProcess],
  sourcemap: "linked",
  logLevel: "info",
});
