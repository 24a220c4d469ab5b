/** The `spirula` command: picks the verb, and says what its failure comes to. */

import process from "node:process";
import { ConfigError, stayAwake } from "../base/index.ts";
import { VERSION } from "../cluster/version.ts";
import { VERBS } from "./verbs.ts";

function usage(): string {
  const verbs = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)} ${verb.summary}`);
  return `usage: spirula <command> [options]\n\n${verbs.join("\n")}\n\n'spirula <command> --help' tells more.\n`;
}

async function main(argv: string[]): Promise<number> {
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
