/**
 * Blanks what may differ between two clusters that behave the same: ids, times, addresses, process
 * names, and progress that was overwritten on the screen. Everything else is content and stays.
 *
 * Filters that hold everywhere are here; what only one command may vary in is said beside that command
 * in its scenario (`#@ blank`), where a reader sees what is not compared.
 */

/** Rules applied to every line, in order. */
const EVERYWHERE: [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uuid>"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d{4}|Z)/g, "<time>"],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?/g, "<time>"],
  [/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, "<time>"],
  // Image ids: a hexadecimal global id with a random tail.
  [/\b(rbd_(?:data|header|object_map))\.[0-9a-f]+/g, "$1.<image-id>"],
  [/^(\s*id: )[0-9a-f]{8,}$/g, "$1<image-id>"],
  [/"id": ?"[0-9a-f]{8,}"/g, '"id": "<image-id>"'],
  [/\((age|since|active, since) [^)]*\)/g, "($1 <time>)"],
  [/\bup \(since [^)]*\)/g, "up (since <time>)"],
  [/\bin \(since [^)]*\)/g, "in (since <time>)"],
  [/\b127\.0\.0\.1:\d+\/\d+/g, "<address>"],
  [/\b\[?v[12]:127\.0\.0\.1:\d+[^ ]*/g, "<address>"],
  [/\bclient\.\d{4,}\b/g, "client.<id>"],
  [/\b0x[0-9a-f]{10,16}\b/g, "<pointer>"],
  // What qemu-io adds below each of its answers.
  [/^\d+(\.\d+)? (bytes|[KMGT]iB), \d+ ops; .*/g, "<timing>"],
  [/\[[0-9a-f]{10,16}\]/g, "[<image-id>]"],
  // The machine's, not the cluster's.
  [/\b(hdd|ssd|nvme)\b/g, "<class>"],
  // Signatures are the protocol; the help sentence behind them is each implementation's own.
  [/^(.*\]) :  .*$/g, "$1 :  <help>"],
  [/\b(host|host_name|hostname)[:=] ?\S+/g, "$1 <host>"],
];

/** What one command asked for beyond the common rules. */
export interface CommandFilters {
  /** Collapse runs of blanks: column widths follow the blanked contents. */
  columns: boolean;
  /** Sort the lines: upstream's order follows hashes of blanked names. */
  sort: boolean;
  /** Keep only the structure: numbers become N and repeated lines become one. */
  numbers: boolean;
  /** Patterns whose groups are blanked. */
  blank: RegExp[];
  /** Lines left out. */
  drop: RegExp[];
}

export function noFilters(): CommandFilters {
  return { columns: false, sort: false, numbers: false, blank: [], drop: [] };
}

/** One stream of one command's output, as it is compared and stored. `workDir` is blanked by path. */
export function filterOutput(text: string, filters: CommandFilters, workDir: string): string {
  const { rest, log } = takeLog(text);
  let lines = rest.split("\n").map(lastOverwrite);
  if (lines.at(-1) === "") lines.pop();
  // The log's lines end in blank ones, which land anywhere too.
  if (log.length > 0) lines = lines.filter((line) => line.trim() !== "");
  lines.push(...log);
  lines = lines.filter((line) => !filters.drop.some((rule) => rule.test(line)));
  lines = lines.map((line) => filterLine(line.replaceAll(workDir, "<dir>"), filters));
  if (filters.sort) lines.sort();
  if (filters.numbers) lines = lines.map(blankNumbers).filter((l, i, all) => l !== all[i - 1]);
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * The client library's own log lines come from a thread of their own and land anywhere, in the middle
 * of the tool's line too. They are taken out, and compared sorted behind what the tool said.
 */
function takeLog(text: string): { rest: string; log: string[] } {
  const log: string[] = [];
  const rest = text.replace(LOG_LINE, (_, level: string, message: string) => {
    log.push(`log ${level} ${message}`);
    return "";
  });
  return { rest, log: log.sort() };
}

const LOG_LINE =
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d{4} [0-9a-f]{8,16} +(-?\d+) ([^\n]*)\n\n?/g;

/** A progress bar overwrites its line after a carriage return: what remains on the screen is the end. */
function lastOverwrite(line: string): string {
  const parts = line.replace(/\r+$/, "").split("\r");
  return parts.at(-1) ?? "";
}

function filterLine(line: string, filters: CommandFilters): string {
  let out = line;
  for (const [rule, replacement] of EVERYWHERE) out = out.replace(rule, replacement);
  if (filters.columns) out = out.replace(/[ \t]+/g, " ").trim();
  for (const rule of filters.blank) out = blankGroups(out, rule);
  return out;
}

/** Replaces each capture group of each match by `<…>`. Groups must not nest. */
function blankGroups(line: string, rule: RegExp): string {
  let out = "";
  let at = 0;
  for (const match of line.matchAll(new RegExp(rule, "gd"))) {
    for (const range of match.indices?.slice(1) ?? []) {
      if (range === undefined || range[0] === range[1]) continue;
      out += `${line.slice(at, range[0])}<…>`;
      at = range[1];
    }
  }
  return out + line.slice(at);
}

function blankNumbers(line: string): string {
  return line
    .replace(/benchmark_data_\S+/g, "<prefix>")
    .replace(/-?\b\d+(\.\d+)?(e[+-]?\d+)?\b/g, "N")
    .replace(/(?<= )-(?= |$)/g, "N")
    .replace(/[ \t]+/g, " ")
    .trim();
}
