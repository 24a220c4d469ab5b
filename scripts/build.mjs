#!/usr/bin/env node
// npm run build: dist/ with the library (tsc: JavaScript and declarations) and the command (esbuild).
//
// The OSD's worker is bundled into one file, the command into one and a few chunks that it loads as a verb needs
// them: so that starting them resolves no module graph, and `spirula rados` parses no server. All lie in dist/
// itself, where the code looks for the worker. Packages with native parts stay outside: they pick their prebuild at
// run time.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { ROOT, step } from "./steps.mjs";

const BUNDLES = [
  { entry: "src/cli/main.ts", name: "spirula" },
  { entry: "src/cluster/osd-worker.ts", name: "osd-worker" },
];

await rm(join(ROOT, "dist"), { recursive: true, force: true });
if (!step("library", "tsc", ["-p", "tsconfig.build.json"])) process.exit(1);
for (const { entry, name } of BUNDLES) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [{ in: entry, out: name }],
    outdir: "dist",
    chunkNames: `${name}-[name]-[hash]`,
    splitting: true,
    bundle: true,
    // Half the text to parse; names stay, for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["@node-rs/crc32", "fs-native-extensions"],
    sourcemap: "linked",
    logLevel: "info",
  });
}
