/**
 * Commands as a table: each entry carries its signature, help and permission, so that what `ceph` is told
 * (`get_command_descriptions`), what is checked here and what `ceph --help` prints cannot drift apart.
 *
 * A signature is words and arguments: `osd pool rm name=pool,type=CephPoolname name=pool2,…,req=false`.
 * Arguments are checked against it before a command runs; a command never sees one of the wrong type.
 * Choices are the exception: as upstream, a command words its own complaint about an unknown one.
 * ceph: src/mon/MonCommands.h, src/common/cmdparse.cc, src/pybind/ceph_argparse.py
 */

import { ERRNO, type ErrnoName } from "../../base/index.ts";
import {
  byKey,
  type Json,
  renderJson,
  renderJsonPretty,
  renderXml,
  type XmlNames,
} from "../../encoding/index.ts";
import { xmlNamesOf } from "./xml-names.ts";

/** Bits of a command's description.  ceph: src/mon/MonCommand.h */
export const COMMAND_FLAG = {
  NOFORWARD: 1,
  OBSOLETE: 2,
  DEPRECATED: 4,
  /** Send it to the manager. */
  MGR: 8,
  POLL: 16,
  HIDDEN: 32,
} as const;

/** What goes back: code, human line, data. */
export interface CommandReply {
  /** 0 or a negative error number. */
  r: number;
  status: string;
  data: Uint8Array | string;
}

export interface Command<C> {
  readonly sig: string;
  readonly help: string;
  /** The service that caps know it by. */
  readonly module: string;
  /** The manager's module in Python that upstream has it in: the manager's caps know it by that instead. */
  readonly pythonModule?: string;
  readonly perm: string;
  readonly flags?: number;
  run(ctx: C, args: Args): CommandReply | Promise<CommandReply>;
}

export function ok(data: Uint8Array | string = "", status = ""): CommandReply {
  return { r: 0, status, data };
}

export function refused(errno: ErrnoName, status: string, data = ""): CommandReply {
  return { r: -ERRNO[errno], status, data };
}

interface ArgSpec {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly many: boolean;
  readonly range: readonly number[] | undefined;
  readonly goodchars: RegExp | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

function parseArg(text: string): ArgSpec {
  const fields: Record<string, string> = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    fields[part.slice(0, at)] = part.slice(at + 1);
  }
  return {
    name: fields["name"] ?? "",
    type: fields["type"] ?? "",
    required: fields["req"] !== "false",
    many: fields["n"] === "N",
    range: fields["range"]?.split("|").map(Number),
    goodchars:
      fields["goodchars"] === undefined ? undefined : new RegExp(`^${fields["goodchars"]}*$`),
    fields,
  };
}

interface Parsed {
  readonly prefix: string;
  readonly args: readonly ArgSpec[];
}

export function parseSignature(sig: string): Parsed {
  const parts = sig.split(" ");
  const words = parts.filter((part) => !part.includes("="));
  const args = parts.filter((part) => part.includes("=")).map(parseArg);
  return { prefix: words.join(" "), args };
}

export type OutputFormat = "plain" | "json" | "json-pretty" | "xml" | "xml-pretty";

interface JsonOptions {
  /** A line end behind it, whatever the form. */
  readonly newline?: boolean;
  /** What XML calls the whole, if not what the command says. */
  readonly root?: string;
}

/** A command's arguments, checked. Getters of an argument that is not there give undefined. */
export class Args {
  readonly prefix: string;
  readonly format: OutputFormat;
  /** Bytes that came along (`ceph -i`). */
  readonly input: Uint8Array;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #xml: XmlNames | undefined;

  /** @param options.xml has to be given for a format that is XML */
  constructor(options: {
    prefix: string;
    format: OutputFormat;
    input: Uint8Array;
    values: ReadonlyMap<string, unknown>;
    xml: XmlNames | undefined;
  }) {
    this.prefix = options.prefix;
    this.format = options.format;
    this.input = options.input;
    this.#values = options.values;
    this.#xml = options.xml;
  }

  text(name: string): string | undefined {
    return this.#values.get(name) as string | undefined;
  }

  number(name: string): number | undefined {
    return this.#values.get(name) as number | undefined;
  }

  /** Absent counts as false. */
  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  /** Absent counts as empty. */
  list(name: string): readonly string[] {
    return (this.#values.get(name) as string[] | undefined) ?? [];
  }

  /** The text in the form that was asked for; `text` is what a plain request gets. */
  render(text: () => string, value: () => Json, options: JsonOptions = {}): string {
    if (this.format === "plain") return text();
    return this.json(value(), options);
  }

  /** The value as XML; undefined if that was not asked for. */
  #asXml(value: Json, root: string | undefined): string | undefined {
    if (this.#xml === undefined || !this.format.startsWith("xml")) return undefined;
    const names = root === undefined ? this.#xml : { ...this.#xml, root };
    return renderXml(value, names, this.format === "xml-pretty");
  }

  /** JSON (or XML) whatever was asked for: compact unless the indented form was. */
  compactJson(value: Json, options: JsonOptions = {}): string {
    const xml = this.#asXml(value, options.root);
    if (xml !== undefined) return xml;
    const text = this.format === "json-pretty" ? renderJsonPretty(value) : renderJson(value);
    return options.newline === true ? `${text}\n` : text;
  }

  /** JSON (or XML) whatever was asked for: indented unless the compact form was. */
  json(value: Json, options: JsonOptions = {}): string {
    const xml = this.#asXml(value, options.root);
    if (xml !== undefined) return xml;
    const text = this.format === "json" ? renderJson(value) : renderJsonPretty(value);
    return options.newline === true ? `${text}\n` : text;
  }
}

/** Values longer than this have no business in a command line. */
const ARG_TEXT_MAX = 1 << 20;
const ARG_LIST_MAX = 65536;

function toNumber(spec: ArgSpec, value: unknown): number | undefined {
  const x = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof x !== "number" || !Number.isFinite(x)) return undefined;
  if (spec.type === "CephInt" && !Number.isSafeInteger(x)) return undefined;
  const [low, high] = spec.range ?? [];
  if (low !== undefined && x < low) return undefined;
  if (high !== undefined && x > high) return undefined;
  return x;
}

function toText(spec: ArgSpec, value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text.length > ARG_TEXT_MAX) return undefined;
  if (spec.goodchars !== undefined && !spec.goodchars.test(text)) return undefined;
  return text;
}

function toOsd(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  const match = typeof text === "string" ? /^(?:osd\.)?(\d{1,9})$/.exec(text) : null;
  return match === null ? undefined : Number(match[1]);
}

function convert(spec: ArgSpec, value: unknown): unknown {
  switch (spec.type) {
    case "CephInt":
    case "CephFloat":
      return toNumber(spec, value);
    case "CephBool":
      if (typeof value === "boolean") return value;
      return value === "true" ? true : value === "false" ? false : undefined;
    case "CephOsdName":
      return toOsd(value);
    default:
      return toText(spec, value);
  }
}

/** Checks raw arguments; a text is the complaint. */
function checkArgs(
  parsed: Parsed,
  raw: Readonly<Record<string, unknown>>,
): Map<string, unknown> | string {
  const values = new Map<string, unknown>();
  for (const spec of parsed.args) {
    let value = raw[spec.name];
    // Older clients send flags that are choices of one as `--text`, newer ones as true.
    if (spec.type === "CephBool" && value === `--${spec.name.replaceAll("_", "-")}`) value = true;
    if (value === undefined || value === null) {
      if (spec.required) return `missing required parameter ${spec.name}`;
      continue;
    }
    if (spec.many) {
      const items: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (items.length > ARG_LIST_MAX) return `too many values for '${spec.name}'`;
      const out = items.map((item) => convert(spec, item));
      if (out.includes(undefined)) return `bad or missing field '${spec.name}'`;
      values.set(spec.name, out.map(String));
    } else {
      const out = convert(spec, value);
      if (out === undefined) return `bad or missing field '${spec.name}'`;
      values.set(spec.name, out);
    }
  }
  return values;
}

/** A request that reached its command. */
export interface ParsedCommand<C> {
  readonly command: Command<C>;
  readonly args: Args;
  /**
   * Arguments as text, for caps that name them: those that the command itself sees, and nothing that comes along.
   * Upstream takes whatever the JSON has, and a `caps_mon` in it stands for what `caps` asks for.
   */
  readonly argTexts: Readonly<Record<string, string>>;
}

/**
 * A text up to the end of the object or array it begins with.
 * compat: upstream's parser takes no notice of what follows, and `rbd perf image iostat` sends a quote too many.
 */
export function firstValue(text: string): string {
  let depth = 0;
  let isQuoted = false;
  // One pass, whatever it is: anybody may send megabytes.
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') isQuoted = !isQuoted;
    else if (isQuoted) i += c === "\\" ? 1 : 0;
    else if (c === "{" || c === "[") depth++;
    else if ((c === "}" || c === "]") && --depth <= 0) return text.slice(0, i + 1);
  }
  return text;
}

/** All commands of one daemon, by prefix. */
export class CommandTable<C> {
  readonly #byPrefix = new Map<string, { command: Command<C>; parsed: Parsed }>();
  readonly #unknown: (prefix: string) => string;

  /** `unknown` words the complaint about a prefix that is not in the table. */
  constructor(commands: readonly Command<C>[], unknown: (prefix: string) => string) {
    this.#unknown = unknown;
    for (const command of commands) {
      const parsed = parseSignature(command.sig);
      if (this.#byPrefix.has(parsed.prefix))
        throw new RangeError(`two commands '${parsed.prefix}'`);
      this.#byPrefix.set(parsed.prefix, { command, parsed });
    }
  }

  get prefixes(): string[] {
    return [...this.#byPrefix.keys()];
  }

  isDeprecated(prefix: string): boolean {
    return ((this.#byPrefix.get(prefix)?.command.flags ?? 0) & COMMAND_FLAG.DEPRECATED) !== 0;
  }

  /** Finds and checks a request: the strings of a command message are one JSON text. */
  parse(cmd: readonly string[], input: Uint8Array): ParsedCommand<C> | CommandReply {
    let raw: Record<string, unknown>;
    try {
      const value: unknown = JSON.parse(firstValue(cmd.join("")));
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new SyntaxError();
      raw = value as Record<string, unknown>;
    } catch {
      return refused("EINVAL", "command not understood");
    }
    const prefix = raw["prefix"];
    if (typeof prefix !== "string") return refused("EINVAL", "no valid command found");
    const found = this.#byPrefix.get(prefix);
    if (found === undefined) return refused("EINVAL", this.#unknown(prefix));
    const format = raw["format"];
    const values = checkArgs(found.parsed, raw);
    if (typeof values === "string") return refused("EINVAL", values);
    const xml = xmlNamesOf(prefix);
    const isJson = format === "json" || format === "json-pretty";
    const isXml = xml !== undefined && (format === "xml" || format === "xml-pretty");
    const output: OutputFormat = isJson || isXml ? format : "plain";
    const argTexts: Record<string, string> = {};
    for (const { name } of found.parsed.args) {
      const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
      if (value === undefined || value === null) continue;
      const words = (Array.isArray(value) ? value : [value]).map(String);
      // What caps name of `caps mon "allow r"` is caps_mon.  ceph: Monitor::_generate_command_map
      if (name === "caps" && words.length % 2 === 0) {
        for (let i = 0; i < words.length; i += 2) argTexts[`caps_${words[i]}`] = words[i + 1] ?? "";
      } else argTexts[name] = words.join(" ");
    }
    return {
      command: found.command,
      args: new Args({ prefix, format: output, input, values, xml }),
      argTexts,
    };
  }

  /** Entries of `get_command_descriptions`, to be numbered by `renderDescriptions`. */
  descriptions(): Json[] {
    return [...this.#byPrefix.values()].map(({ command, parsed }) => ({
      sig: [
        ...parsed.prefix.split(" "),
        ...parsed.args.map((arg): Json => new Map(Object.entries(arg.fields).sort(byKey))),
      ],
      help: command.help,
      module: command.module,
      perm: command.perm,
      flags: command.flags ?? 0,
    }));
  }
}

export function isReply<C>(x: ParsedCommand<C> | CommandReply): x is CommandReply {
  return "r" in x;
}

/** The JSON that `ceph` validates and routes commands by. */
export function renderDescriptions(entries: readonly Json[]): string {
  const numbered = entries.map((entry, i) => [`cmd${String(i).padStart(3, "0")}`, entry] as const);
  return renderJson(new Map(numbered));
}
