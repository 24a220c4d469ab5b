/**
 * The scripts of `spirula completion` in the shells that they are for: what is completed there is what the command
 * knows, and of the cluster's own commands what the cluster says.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientEnv, must, run } from "../harness/run.ts";
import { requireBuild, SPIRULA, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: SpirulaServer;

/** Has the shell complete the last of the words. A line for each possibility. */
const SHELLS: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: (words) => `
source completion.bash
COMP_WORDS=(spirula ${words.map(quoted).join(" ")}) COMP_CWORD=${words.length}
_spirula
printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Outside of its line editor zsh has no compadd: the test's own prints what it is given.
  zsh: (words) => `
compdef() { }
compadd() { print -l -- "\${(P@)2}" }
_files() { }
source completion.zsh
words=(spirula ${words.map(quoted).join(" ")}) CURRENT=${words.length + 1}
_spirula`,
  fish: (words) => `
source completion.fish
complete -C ${quoted(["spirula", ...words].join(" "))} | string replace -r '\\t.*' ''
true`,
};

function quoted(word: string): string {
  return `'${word}'`;
}

async function complete(shell: string, line: string): Promise<string[]> {
  const words = line.split(" ");
  const script = SHELLS[shell]?.(words) ?? "";
  const env = { ...clientEnv(server.confPath), PATH: `${work.path}:${process.env["PATH"]}` };
  const { stdout, stderr, code } = await run(shell, ["-c", script], { cwd: work.path, env });
  expect(stderr, script).toBe("");
  expect(code).toBe(0);
  return stdout
    .split("\n")
    .filter((each) => each !== "")
    .toSorted();
}

beforeAll(async () => {
  requireBuild();
  work = await tempDir("completion");
  server = await startSpirula({ dir: join(work.path, "data"), port: 0 });
  const program = `#!/bin/sh\nexec '${process.execPath}' '${SPIRULA}' "$@"\n`;
  await writeFile(join(work.path, "spirula"), program, { mode: 0o755 });
  for (const shell of Object.keys(SHELLS)) {
    const path = join(work.path, `completion.${shell}`);
    await must(`'${process.execPath}' '${SPIRULA}' completion ${shell} > '${path}'`);
  }
});

afterAll(async () => {
  await server.kill();
  await work.remove();
});

describe.each(Object.keys(SHELLS))("%s", (shell) => {
  test.each([
    ["r", ["rados", "rbd"]],
    ["rbd snap l", ["limit", "list", "ls"]],
    ["rbd -p rbd snap ren", ["rename"]],
    ["rbd ls --format ", ["json", "plain", "xml"]],
    ["rados -p rbd lss", ["lssnap"]],
    ["start --i", ["--i-understand", "--install-conf"]],
    ["completion ", ["bash", "fish", "zsh"]],
    ["ceph osd pool cr", ["create"]],
    ["ceph -f json-", ["json-pretty"]],
    ["nonsense x", []],
  ])("completes '%s'", async (line, expected) => {
    expect(await complete(shell, line)).toEqual(expected);
  });
});
