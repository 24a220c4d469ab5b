/**
 * docs/compatibility.md, made from what the tests run: the scenarios, the transcripts that `npm test` holds us
 * to, and what `npm run test:matrix -- --record` noted of each generation of clients. Nothing in it is said by
 * hand but the names of the features.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadScenarios, type Scenario, splitTranscript, TRANSCRIPTS_DIR } from "./scenario.ts";

/** What a matrix run recorded of one generation of clients. */
export interface GenerationResult {
  /** As a reader knows it: "Debian 13". */
  title: string;
  /** By Debian package. */
  versions: Record<string, string>;
  /** Every command of `rbd help`, with its short form where it has one. */
  rbd: Record<string, string>;
  /** Exit codes, and whether ours answered as the real cluster. */
  commands: { scenario: string; command: string; ours: string; real: string; same: boolean }[];
}

export const MATRIX_DIR = "test/matrix";
export const RESULTS_FILE = join(MATRIX_DIR, "results.json");
export const COMPATIBILITY_FILE = "docs/compatibility.md";
/** The generation that the transcripts were recorded with. */
const RECORDED = "bookworm";

/** What images can be, the row that makes one, and what the command that does it says. */
const FEATURES: [name: string, row: string, sign: string][] = [
  ["layering, clones of the first format", "21-clones", "rbd clone --rbd-default-clone-format 1"],
  ["layering, clones of the second format", "21-clones", "rbd clone --rbd-default-clone-format 2"],
  ["striping", "20-features", "--stripe-unit 256K --stripe-count 4"],
  ["exclusive-lock", "20-features", "feature enable every exclusive-lock"],
  ["object-map", "20-features", "object-map rebuild"],
  ["fast-diff", "20-features", "rbd du every"],
  ["deep-flatten", "20-features", "deep-flatten"],
  ["journaling", "13-journal", "journaling"],
  ["data-pool", "20-features", "--data-pool"],
  ["snapshots of groups", "24-groups", "rbd group snap create"],
  ["namespaces", "25-namespaces", "rbd namespace create"],
  ["live migration", "26-migration", "rbd migration execute"],
  ["LUKS in the client", "27-encryption", "rbd encryption format"],
  ["mirroring by snapshots, the primary's side", "31-mirroring", "rbd mirror image enable"],
  ["images of the first format", "13-journal", "rbd create --image-format 1"],
];

/** Words that only lead to a command, by tool. */
const GROUPS: Record<string, string[]> = {
  rbd: [
    "config",
    "config global",
    "config image",
    "config pool",
    "deep",
    "device",
    "encryption",
    "feature",
    "group",
    "group image",
    "group snap",
    "image-meta",
    "journal",
    "journal client",
    "lock",
    "migration",
    "mirror",
    "mirror image",
    "mirror pool",
    "mirror pool peer",
    "mirror pool peer bootstrap",
    "mirror snapshot",
    "mirror snapshot schedule",
    "namespace",
    "object-map",
    "perf",
    "perf image",
    "persistent-cache",
    "pool",
    "snap",
    "snap limit",
    "task",
    "task add",
    "trash",
    "trash purge schedule",
  ],
  rados: ["lock"],
  ceph: [
    "auth",
    "config",
    "config-key",
    "device",
    "fs",
    "mds",
    "mgr",
    "mgr module",
    "mon",
    "osd",
    "osd blocklist",
    "osd crush",
    "osd crush class",
    "osd crush rule",
    "osd erasure-code-profile",
    "osd pool",
    "osd pool application",
    "pg",
    "rbd",
    "rbd mirror",
    "rbd mirror snapshot",
    "rbd mirror snapshot schedule",
    "rbd perf",
    "rbd perf image",
    "rbd task",
    "rbd task add",
    "rbd trash",
    "rbd trash purge",
    "rbd trash purge schedule",
  ],
  "qemu-img": [],
};
/** Options in front of a command that take a word. */
const VALUED = new Set(["-p", "--pool", "-N", "-s", "--id", "-c", "--image"]);
const TOOL =
  /(?:^|[|;&(]\s*|\bdo )(?:\w+=\S+ )*(rbd|rados|ceph|qemu-img|qemu-io|fio)(?= ) ([^|;&)>]*)/g;

interface Run {
  generation: string;
  scenario: string;
  real: string;
  same: boolean;
  differs: string | undefined;
}

/** The tools' commands in a line of a scenario: ["rbd", "snap create"]. */
export function verbsOf(command: string): [tool: string, verb: string][] {
  return [...command.matchAll(TOOL)].map(([, tool = "", rest = ""]) => {
    const words: string[] = [];
    const tokens = rest.split(/\s+/);
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i] ?? "";
      const groups = GROUPS[tool];
      const open = words.length === 0 || groups?.includes(words.join(" "));
      // `trash purge` is a command, and `trash purge schedule` leads to others.
      if (groups === undefined || !(open || groups.includes([...words, token].join(" ")))) break;
      // `ceph -s` is a command itself.
      if (tool === "ceph" && token === "-s") return [tool, "status"];
      if (VALUED.has(token)) i++;
      else if (!token.startsWith("-")) words.push(token);
    }
    return [tool, words.join(" ")];
  });
}

/** The page as it has to be. Paths are relative to the checkout. */
export function compatibilityPage(): string {
  const results = readResults();
  const scenarios = [...loadScenarios(), ...loadScenarios(MATRIX_DIR)];
  const runs = runsOf(scenarios, results);
  const generations = Object.keys(results);
  const parts = [
    HEAD,
    clientsTable(results),
    ...["rbd", "rados", "ceph", "qemu-img"].map((tool) => toolSection(tool, runs, results)),
    featuresSection(scenarios, runs, generations),
    differencesSection(scenarios),
    rowsSection(scenarios, runs, generations),
  ];
  return `${parts.join("\n\n")}\n`;
}

const HEAD = `# Compatibility

Made by \`npm run docs:compatibility\` from what the tests ran; not to be edited.

Each command is answered as a real Ceph 16.2.15 answers the same unmodified client: same output, same exit code.
Debian 12's clients are compared by \`npm test\` with recorded transcripts; those of newer releases by
\`npm run test:matrix\` with a real cluster beside ours.

- **works**: at least once with success, and always as on a real cluster
- **refused**: only ever refused by a real cluster, with the same words
- **not yet**: ours answers otherwise; the reason is below. **partly**: so with some arguments
- **–**: not run`;

/** A line for each command, so that a diff shows what changed. */
export function formatResults(results: Record<string, GenerationResult>): string {
  const parts = Object.entries(results).map(([name, { commands, ...rest }]) => {
    const lines = commands.map((command) => `  ${JSON.stringify(command)}`);
    const head = JSON.stringify(rest).slice(0, -1);
    return `${JSON.stringify(name)}: ${head}, "commands": [\n${lines.join(",\n")}\n]}`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}

function readResults(): Record<string, GenerationResult> {
  return JSON.parse(readFileSync(RESULTS_FILE, "utf8")) as Record<string, GenerationResult>;
}

/** Everything known of every command: of the recorded generation the transcript, where there is one. */
function runsOf(
  scenarios: Scenario[],
  results: Record<string, GenerationResult>,
): Map<string, Run[]> {
  const all = new Map<string, Run[]>();
  for (const { name, steps } of scenarios) {
    const transcript = join(TRANSCRIPTS_DIR, `${name}.txt`);
    const recorded = existsSync(transcript)
      ? splitTranscript(readFileSync(transcript, "utf8"))
      : undefined;
    const next = new Map<string, number>();
    for (const [index, { command, differs }] of steps.entries()) {
      const nth = next.get(command) ?? 0;
      next.set(command, nth + 1);
      const base = { scenario: name, differs };
      const runs = all.get(command) ?? [];
      all.set(command, runs);
      for (const [generation, { commands }] of Object.entries(results)) {
        const found = commands.filter((c) => c.scenario === name && c.command === command)[nth];
        if (generation === RECORDED && recorded !== undefined) {
          const real = /\n= (.*)\n$/.exec(recorded[index] ?? "")?.[1] ?? "?";
          runs.push({ ...base, generation, real, same: true });
        } else if (found !== undefined) {
          runs.push({ ...base, generation, real: found.real, same: found.same });
        }
      }
    }
  }
  return all;
}

function clientsTable(results: Record<string, GenerationResult>): string {
  const rows = Object.values(results).map(({ title, versions, commands }) => [
    title,
    upstream(versions["ceph-common"]),
    upstream(versions["qemu-utils"]),
    upstream(versions["fio"]),
    String(commands.length),
    String(commands.filter((command) => !command.same).length),
  ]);
  const head = [
    "clients",
    "librados, librbd",
    "QEMU",
    "fio",
    "commands in the matrix",
    "answered otherwise",
  ];
  return `## Clients\n\n${table(head, rows)}`;
}

/** Without Debian's epoch and revision. */
function upstream(version = "–"): string {
  return version.replace(/^\d+:/, "").replace(/[+-].*$/, "");
}

function toolSection(
  tool: string,
  runs: Map<string, Run[]>,
  results: Record<string, GenerationResult>,
): string {
  const byVerb = new Map<string, Run[]>();
  const short = longNames(results);
  for (const [command, list] of runs) {
    for (const [t, verb] of verbsOf(command)) {
      if (t !== tool) continue;
      const name = tool === "rbd" ? (short.get(verb) ?? verb) : verb;
      byVerb.set(name, [...(byVerb.get(name) ?? []), ...list]);
    }
  }
  const known = tool === "rbd" ? new Set(short.values()) : new Set<string>();
  const rows = [...byVerb]
    .filter(([verb, list]) => known.has(verb) || list.some((run) => run.real === "0"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([verb, list]) => [
      `\`${tool} ${verb}\``,
      ...Object.keys(results).map((name) => cell(list.filter((run) => run.generation === name))),
      [...new Set(list.map((run) => run.scenario))].join(", "),
    ]);
  const titles = Object.values(results).map((result) => result.title);
  const section = `## ${tool}\n\n${table(["command", ...titles, "rows"], rows)}`;
  const missing = [...known].filter((verb) => !byVerb.has(verb)).sort();
  if (missing.length === 0) return section;
  return `${section}\n\nNot run: ${missing.map((verb) => `\`${verb}\``).join(", ")}.`;
}

/** Long form by either form, of all generations' \`rbd help\`. */
function longNames(results: Record<string, GenerationResult>): Map<string, string> {
  const names = new Map<string, string>();
  for (const { rbd } of Object.values(results)) {
    for (const [long, short] of Object.entries(rbd)) names.set(long, long).set(short || long, long);
  }
  return names;
}

function cell(runs: Run[]): string {
  if (runs.length === 0) return "–";
  const works = runs.some((run) => run.same && run.real === "0");
  if (runs.some((run) => !run.same)) return works ? "partly" : "not yet";
  return works ? "works" : "refused";
}

function featuresSection(
  scenarios: Scenario[],
  runs: Map<string, Run[]>,
  generations: string[],
): string {
  const rows = FEATURES.map(([name, row, sign]) => {
    const steps = scenarios.find((scenario) => scenario.name === row)?.steps ?? [];
    const commands = steps.map((step) => step.command).filter((text) => text.includes(sign));
    if (commands.length === 0) throw new Error(`row ${row} has no command with "${sign}"`);
    const found = commands.flatMap((text) => runs.get(text) ?? []);
    const own = found.filter((run) => run.scenario === row);
    return [
      name,
      ...generations.map((generation) => cell(own.filter((run) => run.generation === generation))),
      row,
    ];
  });
  const titles = Object.values(readResults()).map((result) => result.title);
  return `## Features of images\n\n${table(["feature", ...titles, "row"], rows)}`;
}

function differencesSection(scenarios: Scenario[]): string {
  const rows = scenarios.flatMap(({ steps }) =>
    steps.flatMap(({ command, differs }) =>
      differs === undefined ? [] : [[`\`${escape(command)}\``, differs]],
    ),
  );
  return `## Not as on a real cluster\n\n${table(["command", "why"], rows)}`;
}

function rowsSection(
  scenarios: Scenario[],
  runs: Map<string, Run[]>,
  generations: string[],
): string {
  const parts = scenarios.map(({ name, steps }) => {
    const lines = steps.map(({ command }) => {
      const list = (runs.get(command) ?? []).filter((run) => run.scenario === name);
      const marks = generations.map((generation) => {
        const own = list.filter((run) => run.generation === generation);
        return own.length === 0 ? "–" : own.every((run) => run.same) ? "=" : "≠";
      });
      return `${marks.join(" ")}  ${command}`;
    });
    return `### ${name}\n\n\`\`\`\n${lines.join("\n")}\n\`\`\``;
  });
  const head = `## Every command

In front of each, by generation in the order above: \`=\` as a real cluster, \`≠\` not, \`–\` not run.`;
  return [head, ...parts].join("\n\n");
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|");
}
