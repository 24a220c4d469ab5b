#!/usr/bin/env node
// Writes the store of this build's format version to test/compat/v<version>/, once: what a version has
// left behind does not change, so a folder that is there is left alone. Run it when the version rises.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { loadTs, ROOT } from "./load-ts.mjs";

const { makeFixture } = await loadTs("test/compat/make-store.ts");
const { version, files, content } = await makeFixture();
const folder = join(ROOT, "test", "compat", `v${version}`);
if (existsSync(folder)) {
  process.stderr.write(`${folder} is there already: a version's store is made once\n`);
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
for (const [name, value] of Object.entries({ files, content })) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(value, null, 1)}\n`);
}
process.stdout.write(`${folder}\n`);
