// Loads a TypeScript module of the checkout into a plain Node script, bundled by esbuild.
//
// Node 20 does not run TypeScript by itself, and the harness is TypeScript because the tests use it.
// The bundle lands in .cache/ for as long as the import takes.
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const loaded = new Map();

/** Imports `path` (relative to the checkout), once however often it is asked for. */
export function loadTs(path) {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const loading = load(path);
  loaded.set(path, loading);
  return loading;
}

/** In a bundle a module's own address is the bundle's: tests that read files beside them are told their own. */
const ownAddress = {
  name: "own address",
  setup(build) {
    build.onLoad({ filter: /\/test\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)));
      return { contents, loader: "ts" };
    });
  },
};

async function load(path) {
  const outdir = join(ROOT, ".cache", "bundles");
  await mkdir(outdir, { recursive: true });
  const outfile = join(outdir, `${path.replaceAll(/[/.]/g, "-")}-${process.pid}.mjs`);
  await build({
    entryPoints: [resolve(ROOT, path)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    plugins: [ownAddress],
    logLevel: "warning",
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile);
  }
}
