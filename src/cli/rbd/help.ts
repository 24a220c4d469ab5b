/** What the rbd command says of itself; all of it from the table of verbs. */

import { type RbdOption, writtenName } from "./options.ts";
import type { Verb } from "./verb.ts";

const COLUMN = 34;
const PROGRAM = "spirula rbd";

const GLOBAL: readonly (readonly [string, string])[] = [
  ["-c [ --conf ] arg", "path of the cluster's configuration"],
  ["--cluster arg", "name of the cluster"],
  ["--id arg", "user, without 'client.'"],
  ["-n [ --name ] arg", "user, with 'client.'"],
  ["-m [ --mon_host ] arg", "monitors"],
  ["-K [ --keyfile ] arg", "path of a file with the user's key"],
  ["-k [ --keyring ] arg", "path of a keyring"],
];

/** All verbs. */
export function usage(verbs: readonly Verb[]): string {
  const rows = [...verbs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((verb) => {
      const alias = verb.alias === undefined ? "" : ` (${verb.alias})`;
      const missing = verb.run === undefined ? " (not supported yet)" : "";
      return row(`    ${verb.name}${alias}`, `${verb.summary}${missing}`);
    });
  return [
    `usage: ${PROGRAM} <command> ...`,
    "",
    "Manages images as rbd does.",
    "",
    "Positional arguments:",
    "  <command>",
    ...rows,
    "",
    "Optional arguments:",
    ...GLOBAL.map(([name, help]) => row(`  ${name}`, help)),
    "",
    `See '${PROGRAM} help <command>' for help on a specific command.`,
    "",
  ].join("\n");
}

/** One verb. */
export function verbUsage(verb: Verb): string {
  const short = [
    ...verb.options.map(({ name, parse }) =>
      parse === undefined ? `[--${name}]` : `[--${name} <${name}>]`,
    ),
    ...verb.positional.map(({ name, isMany }) =>
      isMany === true ? `<${name}> [<${name}> ...]` : `<${name}>`,
    ),
  ];
  const lines = wrapped(`usage: ${PROGRAM} ${verb.name} `, short);
  lines.push("", verb.summary, "");
  if (verb.positional.length > 0) {
    lines.push("Positional arguments");
    for (const { name, help } of verb.positional) lines.push(row(`  <${name}>`, help));
    lines.push("");
  }
  if (verb.options.length > 0) {
    lines.push("Optional arguments");
    for (const option of verb.options) lines.push(row(`  ${written(option)}`, option.help));
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}

/** Every verb and every option, with bars between, for shells to complete. */
export function completion(verbs: readonly Verb[], verb: Verb | undefined): string {
  const words = GLOBAL.flatMap(([text]) => text.match(/--[\w-]+/g) ?? []);
  if (verb !== undefined) words.push(...verb.options.map(({ name }) => `--${name}`));
  else words.push("help", ...verbs.flatMap(({ name, alias }) => (alias ? [name, alias] : [name])));
  return `|${words.join("|")}|\n`;
}

function written(option: RbdOption): string {
  const both = writtenName(option);
  return option.parse === undefined ? both : `${both} arg`;
}

function row(name: string, help: string): string {
  if (name.length >= COLUMN) return `${name}\n${" ".repeat(COLUMN)}${help}`;
  return name.padEnd(COLUMN) + help;
}

function wrapped(start: string, words: readonly string[]): string[] {
  const lines = [start];
  for (const word of words) {
    const last = lines.length - 1;
    const line = lines[last] ?? "";
    const isFull = line.length + word.length > 80 && line.trim() !== "" && line !== start;
    if (isFull) lines.push(`${" ".repeat(start.length)}${word} `);
    else lines[last] = `${line}${word} `;
  }
  return lines.map((line) => line.trimEnd());
}
