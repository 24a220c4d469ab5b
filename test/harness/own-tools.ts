/**
 * This package's own commands in place of the originals: a folder of wrappers under the originals' names, for
 * the front of PATH. Scripts written for the originals then run ours.
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { SPIRULA } from "./spirula.ts";

/** @returns the folder @param tools `ceph`, `rados`, `rbd` */
export async function ownTools(dir: string, tools: readonly string[]): Promise<string> {
  const bin = join(dir, "own-tools");
  await mkdir(bin, { recursive: true });
  for (const tool of tools) {
    const path = join(bin, tool);
    await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${SPIRULA}' ${tool} "$@"\n`);
    await chmod(path, 0o755);
  }
  return bin;
}

/** Has command lines find what is in the folder before anything else, as `ScenarioContext.inside`. */
export function withTools(bin: string): (command: string) => string {
  return (command) => `PATH='${bin}':"$PATH"\n${command}`;
}
