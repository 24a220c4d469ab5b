/** The `spirula` command: picks the verb, and says what its failure comes to. */

import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { ConfigError, stayAwake } from "../base/index.ts";
import { VERSION } from "../cluster/version.ts";
import { VERBS } from "./verbs.ts";

function usage(): string {
  const verbs = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)} ${verb.summary}`);
  return `usage: spirula <command> [options]\n\n${verbs.join("\n")}\n\n'spirula <command> --help' tells more.\n`;
}

/**
 * Node.js has put U+FFFD in place of what is no UTF-8: another object would be meant, another value written. What was
 * given is known on Linux; elsewhere that character itself is not taken either.
 * @throws ConfigError
 */
async function checkEncoding(words: readonly string[]): Promise<void> {
  const odd = words.find((word) => word.includes("\ufffd"));
  if (odd === undefined) return;
  const given = await readFile("/proc/self/cmdline").catch(() => undefined);
  if (given === undefined || !isUtf8(given)) throw new ConfigError(`'${odd}' is not UTF-8`);
}

async function main(argv: string[]): Promise<number> {
  await checkEncoding(argv);
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(usage());
    return name === undefined ? 1 : 0;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`spirula ${VERSION}\n`);
    return 0;
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    process.stderr.write(`spirula: unknown command '${name}'\n${usage()}`);
    return 1;
  }
  return await stayAwake(verb.run(rest));
}

// Who reads what is said may go, which ends nothing: a server goes on, and so does an import that tells how far it is.
// What has to arrive is looked after where it is written.
process.stderr.on("error", () => undefined);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`spirula: ${error.message}\n`);
  process.exitCode = 1;
}
