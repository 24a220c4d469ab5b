/**
 * `spirula rbd`: what the original `rbd` of 16.2 does, by the same words, on any cluster.
 * ceph: src/tools/rbd
 */

import process from "node:process";
import { VERSION_TEXT } from "../../cluster/version.ts";
import { asksFor, CommandFailure, cephArguments, runCommand } from "../client/index.ts";
import { Call } from "./call.ts";
import { completion, usage, verbUsage } from "./help.ts";
import { writtenName } from "./options.ts";
import { findVerb, parseVerb, plainWords } from "./parse.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** @returns the exit code */
export async function runRbd(argv: readonly string[]): Promise<number> {
  return await runCommand("rbd", async () => {
    const args = cephArguments(argv);
    const words = plainWords(args.rest, VERBS);
    if (asksFor(args, "-v", "--version")) {
      process.stdout.write(`${VERSION_TEXT}\n`);
      return 0;
    }
    if (asksFor(args, "-h", "--help")) return help(words);
    const [first, ...rest] = words;
    if (first === undefined) return help([]);
    if (first === "help") return help(rest);
    if (first === "bash-completion") {
      process.stdout.write(completion(VERBS, findVerb(rest, VERBS)?.verb));
      return 0;
    }
    const found = findVerb(words, VERBS);
    if (found === undefined) throw unknown(words);
    const { verb, name } = found;
    if (verb.run === undefined) {
      throw new CommandFailure(`spirula rbd: '${verb.name}' is not supported yet`);
    }
    const parsed = parseVerb(verb, name, args.rest);
    const call = new Call(args, parsed.words, parsed.options);
    try {
      await verb.run(call);
      await call.out.flush();
      tellSuccessors(call, verb);
      return 0;
    } finally {
      await call.close();
    }
  });
}

/** In the order of the options' names, as the original does. */
function tellSuccessors(call: Call, { options }: Verb): void {
  for (const option of [...options].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (option.successor === undefined || !call.has(option.name)) continue;
    call.warn(`rbd: ${writtenName(option)} is deprecated, use --${option.successor}`);
  }
}

function help(words: readonly string[]): number {
  if (words.length === 0) {
    process.stdout.write(usage(VERBS));
    return 0;
  }
  const found = findVerb(words, VERBS);
  if (found === undefined) throw unknown(words);
  process.stdout.write(verbUsage(found.verb));
  return 0;
}

function unknown(words: readonly string[]): CommandFailure {
  process.stderr.write(`error: unknown option '${words.join(" ")}'\n\n`);
  process.stdout.write(usage(VERBS));
  return new CommandFailure("");
}
