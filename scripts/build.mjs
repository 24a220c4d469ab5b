#!/usr/bin/env node
// npm run build: dist/ with the library (tsc: JavaScript and declarations) and the command (esbuild).
//
// The command and the OSD's worker are bundled into one file each, so that starting them resolves no
// module graph. Packages with native parts stay outside: they pick their prebuild at run time.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { ROOT, step } from "./steps.mjs";

const BUNDLES = [
  { entry: "src/cli/main.ts", outfile: "dist/spirula.js", required: true },
  { entry: "src/cluster/osd-worker.ts", outfile: "dist/osd-worker.js", required: true },
];

await rm(join(ROOT, "dist"), { recursive: true, force: true });
if (!step("library", "tsc", ["-p", "tsconfig.build.json"])) process.exit(1);
for (const { entry, outfile, required } of BUNDLES) {
  if (!required && !existsSync(join(ROOT, entry))) continue;
  await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["@node-rs/crc32", "fs-native-extensions"],
    sourcemap: "linked",
    logLevel: "info",
  });
}
