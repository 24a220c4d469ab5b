/**
 * Blanks what must differ between two clusters that behave the same: ids, times, what the machine is.
 * A blank keeps the form of what it hides (digits of a fraction, zone, unit), and an id that occurs twice
 * in an output is the same blank twice. Everything else is content and stays.
 *
 * Filters that hold everywhere are here; what only one command may vary in is said beside that command
 * in its scenario (`#@ blank`), where a reader sees what is not compared.
 */

/** Rules applied to every line, in order. */
const EVERYWHERE: [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uuid>"],
  [/\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d\b/g, "yyyy-mm-dd$1hh:mm:ss"],
  [/(?<=dd.hh:mm:ss\.\d*)\d/g, "f"],
  [
    /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g,
    "Www Mmm dd hh:mm:ss yyyy",
  ],
  [/(?<=\((?:age|since|active, since) )(?:\d+(?:\.\d+)?[smhdwMy])+(?=\))/g, "<time>"],
  // In front of a log line of librbd: the object that speaks.
  [/\b0x[0-9a-f]{10,16}(?= )/g, "<pointer>"],
  // What qemu-io adds below each of its answers: the amount is content, the speed is not.
  [/^(\d+(?:\.\d+)? (?:bytes|[KMGT]iB), \d+ ops); .*/g, "$1; <speed>"],
  // Signatures are the protocol; the help sentence behind them is each implementation's own.
  [/^(.*[>\]]) : {2}\S.*$/g, "$1 :  <help>"],
];

/**
 * Lines that come or not, on any cluster: a client that ends while a link of its is being made.
 * ceph: src/mon/MonClient.cc get_auth_request
 */
const NOWHERE = [/ monclient: get_auth_request but no auth handler is set up$/];

/**
 * Where an image's id stands: a hexadecimal global id with a random tail, of varying length. What is before it may be a
 * pool's, which has fewer digits.
 */
const IMAGE_ID =
  /(?<=\brbd_data\.\d{1,7}\.|\brbd_(?:data|header|object_map)\.|^\s*id: |"id": ?"|child\(ren\) \[)[0-9a-f]{8,16}(?![\w-])/g;

/** Blanks image ids; each has a number of its own, in the order in which an output names them. */
function blankImageIds(line: string, known: Map<string, number> | undefined): string {
  return line.replace(IMAGE_ID, (id) => {
    if (known === undefined) return "<image-id>";
    if (!known.has(id)) known.set(id, known.size + 1);
    return `<image-id-${known.get(id)}>`;
  });
}

/** What one command asked for beyond the common rules. */
export interface CommandFilters {
  /** Collapse runs of blanks: column widths follow the blanked contents. */
  columns: boolean;
  /** Sort the lines: upstream's order follows hashes of blanked names. */
  sort: boolean;
  /** Lines of which only the structure is kept: numbers become N and repeated lines become one. */
  numbers: RegExp | undefined;
  /** Patterns whose groups are blanked. */
  blank: RegExp[];
  /** Lines left out. */
  drop: RegExp[];
}

export function noFilters(): CommandFilters {
  return { columns: false, sort: false, numbers: undefined, blank: [], drop: [] };
}

/** What is the machine's, not the cluster's. */
export interface Machine {
  /** Where the commands run; blanked by path. */
  workDir: string;
  /** The kernel's answer for the disk below it: a cluster that says another is wrong, and not blanked. */
  deviceClass: string;
}

/** One stream of one command's output, as it is compared and stored. */
export function filterOutput(text: string, filters: CommandFilters, machine: Machine): string {
  const { rest, log, ends } = takeLog(text);
  let lines = rest.split("\n").map(lastOverwrite);
  if (lines.at(-1) === "") lines.pop();
  if (log.length > 0) lines = withoutEnds(lines, ends);
  // Sorted lines have no first id to count from, for their order follows the ids.
  const ids = filters.sort ? undefined : new Map<string, number>();
  lines = lines.map((line) => filterLine(line, filters, machine, ids));
  if (filters.sort) lines.sort();
  lines.push(...log.map((line) => filterLine(line, filters, machine, undefined)).sort());
  const dropped = [...NOWHERE, ...filters.drop];
  lines = lines.filter((line) => !dropped.some((rule) => rule.test(line)));
  if (filters.numbers !== undefined) lines = blankNumbers(lines, filters.numbers);
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * The client library's own log lines come from a thread of their own and land anywhere, in the middle
 * of the tool's line too. They are taken out, and compared sorted behind what the tool said.
 * @returns with `ends`: how many are without the blank line that each ends in, which is elsewhere in `rest` then
 */
function takeLog(text: string): { rest: string; log: string[]; ends: number } {
  const log: string[] = [];
  let ends = 0;
  const rest = text.replace(LOG_LINE, (whole, level: string, message: string) => {
    log.push(`log ${level} ${message}`);
    if (!whole.endsWith("\n\n")) ends++;
    return "";
  });
  return { rest, log, ends };
}

/**
 * The tool's lines without the blank ones of its log. What is missing of those has split a line of the tool's,
 * which it writes in pieces: the first of them ends in a space.
 */
function withoutEnds(lines: readonly string[], ends: number): string[] {
  const out = lines.filter((line) => line.trim() !== "");
  let splits = ends - (lines.length - out.length);
  for (let i = 0; i + 1 < out.length && splits > 0; i++) {
    if (!out[i]!.endsWith(" ")) continue;
    out.splice(i, 2, out[i]! + out[i + 1]!);
    splits--;
  }
  return out;
}

const LOG_LINE =
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d{4} [0-9a-f]{8,16} +(-?\d+) ([^\n]*)\n\n?/g;

/** A progress bar overwrites its line after a carriage return: what remains on the screen is the end. */
function lastOverwrite(line: string): string {
  const parts = line.replace(/\r+$/, "").split("\r");
  return parts.at(-1) ?? "";
}

function filterLine(
  line: string,
  filters: CommandFilters,
  machine: Machine,
  ids: Map<string, number> | undefined,
): string {
  let out = line.replaceAll(machine.workDir, "<dir>");
  out = out.replace(new RegExp(`\\b${machine.deviceClass}\\b`, "g"), "<class>");
  for (const [rule, replacement] of EVERYWHERE) out = out.replace(rule, replacement);
  out = blankImageIds(out, ids);
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

/** Keeps the structure of the lines that match, and one of neighbours that are then the same. */
function blankNumbers(lines: string[], which: RegExp): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const blanked = which.test(line) ? blankNumbersOf(line) : undefined;
    if (blanked === undefined || blanked !== out.at(-1)) out.push(blanked ?? line);
  }
  return out;
}

function blankNumbersOf(line: string): string {
  return line
    .replace(/-?\b\d+(\.\d+)?(e[+-]?\d+)?\b/g, "N")
    .replace(/(?<= )-(?= |$)/g, "N")
    .replace(/[ \t]+/g, " ")
    .trim();
}
