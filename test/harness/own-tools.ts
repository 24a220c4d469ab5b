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

/** Runs a command line with the folder in front of PATH, as `ScenarioContext.shell`. */
export function shellWith(bin: string): (command: string) => [string, ...string[]] {
  return (command) => ["bash", "--norc", "-c", `PATH='${bin}':"$PATH"; ${command}`];
}
