/**
 * The rows of `ceph daemonperf`: for each counter a column under its short name, under its section's name.
 * ceph: src/pybind/ceph_daemon.py DaemonWatcher
 */

export interface ShownCounter {
  readonly section: string;
  readonly name: string;
  /** A few letters. */
  readonly nick: string;
  /** Bits: a counter that grows, an average. */
  readonly type: number;
  readonly priority: number;
}

/** ceph: src/common/perf_counters.h perfcounter_type_d */
const TYPE = { LONGRUNAVG: 4, COUNTER: 8 } as const;

interface Average {
  readonly avgcount: number;
  readonly sum: number;
}
export type PerfDump = Readonly<Record<string, Readonly<Record<string, number | Average>>>>;

const BLACK = 0;
const YELLOW = 3;
const BLUE = 4;
const UNITS = [" ", "k", "M", "G", "T", "P", "E", "Z"];

const reset = "\u001b[0m";
const colored = (text: string, color: number) => `\u001b[1;${30 + color}m${text}${reset}`;
const dark = (text: string, color: number) => `\u001b[0;${30 + color}m${text}${reset}`;
const bold = (text: string) => `\u001b[1m${text}${reset}`;
const underline = "\u001b[4m";

const widthOf = ({ nick }: ShownCounter) => Math.max(nick.length, 4);

export class PerfTable {
  readonly #counters: readonly ShownCounter[];
  readonly #isColored: boolean;

  /** @param isColored values too, as on a terminal; heads always are */
  constructor(counters: readonly ShownCounter[], isColored: boolean) {
    this.#counters = counters;
    this.#isColored = isColored;
  }

  /** Those that the terminal has room for, by section. */
  #fitting(columns: number): ShownCounter[][] {
    const sections = new Map<string, ShownCounter[]>();
    let width = 0;
    for (const counter of this.#counters) {
      width += widthOf(counter) + 1;
      if (width > columns) break;
      sections.set(counter.section, [...(sections.get(counter.section) ?? []), counter]);
    }
    return [...sections.values()];
  }

  head(columns: number): string {
    const sections = this.#fitting(columns);
    const names = sections.map((counters) => {
      const name = counters[0]?.section ?? "";
      const width = counters.reduce((sum, counter) => sum + widthOf(counter) + 1, -1);
      const pad = Math.max(width - name.length, 0);
      const left = Math.floor(pad / 2);
      return `${"-".repeat(left)}${name.slice(0, width)}${"-".repeat(pad - left)} `;
    });
    const nicks = sections.map((counters) => {
      const shown = counters.map(
        (counter) => underline + colored(counter.nick.padEnd(widthOf(counter)), BLUE),
      );
      return shown.join(" ") + colored("|", BLUE);
    });
    return `${dark(`${names.join("")}\n`, BLUE)}${nicks.join("")}\n`;
  }

  /** What has come since the row before. */
  row(now: PerfDump, before: PerfDump, columns: number): string {
    const sections = this.#fitting(columns).map((counters) =>
      counters
        .map((counter) => this.#cell(valueOf(counter, now, before), widthOf(counter)))
        .join(" "),
    );
    return `${sections.join(colored("|", BLUE))}\n`;
  }

  #cell(value: number, width: number): string {
    const text = shortNumber(value, width);
    if (!this.#isColored) return text;
    const digits = colored(text.slice(0, -1), value === 0 ? BLACK : YELLOW);
    return bold(digits) + bold(colored(text.slice(-1), YELLOW));
  }
}

function valueOf({ section, name, type }: ShownCounter, now: PerfDump, before: PerfDump): number {
  const [value, last] = [now[section]?.[name] ?? 0, before[section]?.[name] ?? 0];
  if (typeof value === "number" || typeof last === "number") {
    const [to, from] = [Number(value), Number(last)];
    return (type & TYPE.COUNTER) !== 0 ? Math.max(to - from, 0) : to;
  }
  const entries = value.avgcount - last.avgcount;
  if ((type & TYPE.COUNTER) !== 0 || (type & TYPE.LONGRUNAVG) === 0 || entries === 0) return 0;
  // Seconds; shown in milliseconds.
  return ((value.sum - last.sum) / entries) * 1000;
}

/** So many columns wide, with a unit of thousands in the last one. */
function shortNumber(value: number, width: number): string {
  let unit = 0;
  const digits = () => String(Math.floor(Math.trunc(value) / 1000 ** unit)).length;
  while (digits() > width - 1 && unit < UNITS.length - 1) unit++;
  const mark = UNITS[unit] ?? "";
  if (unit === 0) return `${String(Math.trunc(value)).padStart(width - 1)}${mark}`;
  const text = (value / 1000 ** unit).toFixed(6).slice(0, width - 1);
  return (text.endsWith(".") ? ` ${text.slice(0, -1)}` : text) + mark;
}
