/**
 * The examples of docs/client: each page's are one program, which compiles against the built package and runs on a
 * cluster; and every public method of the classes is on a page.
 */
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import type * as librbd from "../../src/librbd/index.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must, run } from "../harness/run.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const DOCS = resolve("docs/client");
let work: TempDir;
let server: Target;
/** Pages with their text. */
const pages = new Map<string, string>();

function examplesOf(text: string): string {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join("\n");
}

beforeAll(async () => {
  work = await tempDir("docs-client");
  server = await startTarget(work.path);
  for (const name of await readdir(DOCS)) {
    pages.set(name.replace(/\.md$/, ""), await readFile(join(DOCS, name), "utf8"));
  }
  await mkdir(join(work.path, "node_modules"));
  await symlink(resolve("."), join(work.path, "node_modules/spirula"));
  await symlink(resolve("node_modules/@types"), join(work.path, "node_modules/@types"));
  await writeFile(join(work.path, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const config = JSON.stringify({ compilerOptions, include: ["*.ts"] });
  await writeFile(join(work.path, "tsconfig.json"), config);
  for (const [name, text] of pages) {
    await writeFile(join(work.path, `${name}.ts`), examplesOf(text));
  }
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

test("they compile, all of them", async () => {
  expect(pages.size).toBeGreaterThan(0);
  await must(`'${resolve("node_modules/.bin/tsc")}' -p .`, { cwd: work.path });
});

test("they run", async () => {
  const entryPoints = [...pages.keys()].map((name) => join(work.path, `${name}.ts`));
  // Node 20 has no `await using` itself.
  await build({ entryPoints, outdir: work.path, format: "esm", target: "node20" });
  for (const name of pages.keys()) {
    const options = { cwd: work.path, env: clientEnv(server.confPath) };
    const { code, stdout, stderr } = await run(process.execPath, [`${name}.js`], options);
    expect([code, stderr], `${name}: ${stdout}`).toEqual([0, ""]);
  }
});

test("every public method has its place on a page", async () => {
  const { Cluster, IoCtx } = await loadPackage<typeof librados>("rados");
  const { Image, ImageMirroring, PoolMirroring, Rbd } = await loadPackage<typeof librbd>("rbd");
  const all = [...pages.values()].join("\n");
  for (const { name, prototype } of [Cluster, IoCtx, Image, Rbd, PoolMirroring, ImageMirroring]) {
    const methods = Object.getOwnPropertyNames(prototype).filter((each) => each !== "constructor");
    const missing = methods.filter((method) => !new RegExp(`\`[^\`]*\\b${method}\\b`).test(all));
    expect(missing, name).toEqual([]);
  }
});
