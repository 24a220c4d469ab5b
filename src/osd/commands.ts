/**
 * `ceph tell osd.N …`: the commands an OSD answers itself.
 * ceph: src/osd/OSD.cc asok_command
 */

import { ERRNO, errnoName } from "../base/index.ts";
import { CONFIG_COMMANDS, type ConfigCommand } from "../config/index.ts";
import { byteString, textOf } from "../encoding/index.ts";
import { MCommand, MCommandReply } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { NoSpaceError } from "../store/index.ts";
import type { IncomingMessage } from "../types/index.ts";
import { type Bench, benchRefusal } from "./bench.ts";
import type { OsdCounters } from "./counters.ts";
import type { Session } from "./session.ts";
import type { OsdSettings } from "./settings.ts";

/** What goes back. */
export interface Answer {
  /** 0 or a negative error number. */
  readonly r: number;
  readonly status: string;
  readonly data: string;
}

/** What a command prints, or why it does not. */
type Outcome =
  | { readonly value: unknown; readonly status?: string }
  | { readonly r: number; readonly status: string };

interface Command {
  readonly help: string;
  /** Names of its arguments: whole numbers, each of which may be left out. */
  readonly args?: readonly string[];
  /** Its arguments that are words, none of which may be left out; the last may be several. */
  readonly texts?: readonly { readonly name: string; readonly many?: boolean }[];
  run(
    host: CommandHost,
    args: ReadonlyMap<string, number>,
    texts: ReadonlyMap<string, readonly string[]>,
  ): Outcome | Promise<Outcome>;
}

/** The Ceph release that we answer as: `16.2.15`, `pacific`. */
export interface Release {
  readonly version: string;
  readonly release: string;
}

export interface CommandHost {
  readonly id: number;
  readonly fsid: string;
  readonly version: Release;
  readonly epoch: number;
  readonly pgs: number;
  readonly counters: OsdCounters;
  readonly bench: Bench;
  readonly settings: OsdSettings;
  /** Tells the monitor how things are now. Returns the sequence number of what it was told. */
  report(): number;
  /** Puts the store's index in order. Resolves to the seconds that it took. */
  compact(): Promise<number>;
}

async function bench(host: CommandHost, args: ReadonlyMap<string, number>): Promise<Outcome> {
  const options = {
    count: args.get("count") ?? 1 << 30,
    size: args.get("size") ?? 4 << 20,
    objectSize: args.get("object_size") ?? 0,
    objectNum: args.get("object_num") ?? 0,
  };
  const refusal = benchRefusal(options, host.settings.bench);
  if (refusal !== undefined) return { r: -ERRNO.EINVAL, status: refusal };
  const result = await host.bench.run(options);
  if (typeof result !== "number") return { value: result };
  return { r: result, status: errnoName(-result) };
}

async function compact(host: CommandHost): Promise<Outcome> {
  try {
    return { value: { elapsed_time: await host.compact() } };
  } catch (error) {
    if (!(error instanceof NoSpaceError)) throw error;
    return { r: -ERRNO.ENOSPC, status: "no room for the index to be written anew" };
  }
}

function configCommand({ help, texts, run }: ConfigCommand): Command {
  return {
    help,
    texts,
    run: ({ id, settings }, _, words) => {
      const outcome = run({ name: `osd.${id}`, settings }, words);
      return "value" in outcome ? outcome : { r: -ERRNO[outcome.errno], status: outcome.status };
    },
  };
}

const COMMANDS: Readonly<Record<string, Command>> = {
  version: {
    help: "report version of OSD",
    run: (h) => ({ value: { ...h.version, release_type: "stable" } }),
  },
  "perf dump": {
    help: "dump non-labeled counters and their values",
    run: (h) => ({ value: h.counters.dump() }),
  },
  status: {
    help: "high-level status of OSD",
    run: (h) => ({
      value: {
        cluster_fsid: h.fsid,
        whoami: h.id,
        state: "active",
        newest_map: h.epoch,
        num_pgs: h.pgs,
      },
    }),
  },
  flush_pg_stats: { help: "flush pg stats", run: (h) => ({ value: h.report() }) },
  bench: {
    help: "write <count> bytes to the disk, <size> at a time, into as many objects or, at random, into <object_num> of <object_size>; tell how fast it was",
    args: ["count", "size", "object_size", "object_num"],
    run: bench,
  },
  compact: {
    help: "put the store's index in order, so that nothing removed takes room in it",
    run: compact,
  },
  help: { help: "say what each command is for", run: () => ({ value: helps() }) },
  ...Object.fromEntries(CONFIG_COMMANDS.map((command) => [command.prefix, configCommand(command)])),
};

function helps(): Record<string, string> {
  const all = Object.entries(COMMANDS).map(([prefix, { help }]) => [prefix, help] as const);
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The table the ceph tool validates a command line with. */
function descriptions(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(COMMANDS).map(([prefix, { help, args = [], texts = [] }], i) => {
      const sig = [
        ...args.map((name) => ({ name, type: "CephInt", req: "false" })),
        ...texts.map(({ name, many }) => ({
          name,
          type: "CephString",
          ...(many === true ? { n: "N" } : {}),
        })),
      ];
      return [
        `cmd${String(i).padStart(3, "0")}`,
        { sig: [...prefix.split(" "), ...sig], help, module: "osd", perm: "rw", flags: 0 },
      ];
    }),
  );
}

/** The numbers a command takes; the name of one that is none. */
function numbersOf(command: Command, raw: Readonly<Record<string, unknown>>) {
  const numbers = new Map<string, number>();
  for (const name of command.args ?? []) {
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
    if (value === undefined || value === null) continue;
    if (!Number.isSafeInteger(value)) return name;
    numbers.set(name, value as number);
  }
  return numbers;
}

/** The words a command takes; the name of one that is not there, or is none. */
function textsOf(command: Command, raw: Readonly<Record<string, unknown>>) {
  const texts = new Map<string, readonly string[]>();
  for (const { name, many = false } of command.texts ?? []) {
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
    const words: readonly unknown[] = many && Array.isArray(value) ? value : [value];
    if (!words.every((word) => typeof word === "string")) return name;
    texts.set(name, words);
  }
  return texts;
}

function refuse(status: string): Answer {
  return { r: -ERRNO.EINVAL, status, data: "" };
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Answers a command's message when the command has ended. */
export function answerCommand(
  connection: Connection,
  message: IncomingMessage,
  host: CommandHost,
  failed: (error: Error) => void,
): void {
  const { tid } = message;
  const { cmd } = MCommand.decode(message);
  const answer =
    (connection.session as Session).cap?.allowsAll === true
      ? runCommand(host, textOf(cmd[0] ?? ""))
      : Promise.resolve({ r: -ERRNO.EPERM, status: "access denied", data: "" });
  answer.then(({ r, status, data }) => {
    if (!connection.isOpen) return;
    const reply = { r, rs: byteString(status), data: Buffer.from(data) };
    connection.send(MCommandReply.encode(reply, tid));
  }, failed);
}

/** @param json the command as the client sent it, one JSON object */
export async function runCommand(host: CommandHost, json: string): Promise<Answer> {
  const raw = parse(json);
  if (raw === undefined) return refuse("command is not JSON");
  const { prefix, format } = raw;
  if (prefix === "get_command_descriptions") {
    return { r: 0, status: "", data: JSON.stringify(descriptions()) };
  }
  const command =
    typeof prefix === "string" && Object.hasOwn(COMMANDS, prefix) ? COMMANDS[prefix] : undefined;
  if (command === undefined) return refuse(`command '${String(prefix)}' not known`);
  const args = numbersOf(command, raw);
  if (typeof args === "string") return refuse(`bad or missing field '${args}'`);
  const texts = textsOf(command, raw);
  if (typeof texts === "string") return refuse(`bad or missing field '${texts}'`);
  const outcome = await command.run(host, args, texts);
  if ("r" in outcome) return { ...outcome, data: "" };
  const { value, status = "" } = outcome;
  const data = format === "json" ? JSON.stringify(value) : `${JSON.stringify(value, null, 4)}\n`;
  return { r: 0, status, data };
}
