/**
 * `spirula rados`: the tool of the same name, on any cluster. Its words, results and exit codes are those of
 * 16.2's, so that scripts may call either.
 * ceph: src/tools/rados/rados.cc
 */

import process from "node:process";
import { VERSION_TEXT } from "../../cluster/version.ts";
import { CEPH_ARGUMENT_NAMES, type CephArguments } from "../../config/index.ts";
import { nameText } from "../../encoding/index.ts";
import type { Cluster, IoCtx } from "../../librados/index.ts";
import { parsePgId } from "../../maps/index.ts";
import type { PgId } from "../../types/index.ts";
import {
  asksFor,
  attempt,
  CommandFailure,
  ConnectFailure,
  cephArguments,
  completeWords,
  connectCluster,
  isStructuredFormat,
  readWhole,
  runCommand,
  takeOptions,
} from "../client/index.ts";
import { ATTRIBUTE_VERBS } from "./attributes.ts";
import { BENCH_VERBS } from "./bench.ts";
import { type ChosenPool, RadosContext } from "./context.ts";
import { DUMP_VERBS } from "./dumps.ts";
import { LOAD_VERBS } from "./load-gen.ts";
import { LOCK_VERBS } from "./locks.ts";
import { OBJECT_VERBS } from "./objects.ts";
import {
  BAD_OPTION_EXIT,
  checkNumbers,
  numberOf,
  RADOS_OPTIONS,
  type RadosOptions,
} from "./options.ts";
import { POOL_VERBS } from "./pools.ts";
import { SCRUB_VERBS } from "./scrubs.ts";
import { SNAPSHOT_VERBS } from "./snapshots.ts";
import { TIER_VERBS } from "./tiers.ts";
import type { Verb, Verbs } from "./verb.ts";
import { WATCH_VERBS } from "./watches.ts";

const FAMILIES: readonly (readonly [title: string, verbs: Verbs])[] = [
  ["pools", POOL_VERBS],
  ["objects", OBJECT_VERBS],
  ["attributes and omap", ATTRIBUTE_VERBS],
  ["snapshots of a pool", SNAPSHOT_VERBS],
  ["watches", WATCH_VERBS],
  ["locks", LOCK_VERBS],
  ["export and import", DUMP_VERBS],
  ["benchmarks", { ...BENCH_VERBS, ...LOAD_VERBS }],
  ["scrubs", SCRUB_VERBS],
  ["cache tiers and manifests", TIER_VERBS],
];

/** All verbs by their names. */
export const RADOS_VERBS: Verbs = Object.assign({}, ...FAMILIES.map(([, verbs]) => verbs));

function help(): string {
  const lines = ["usage: spirula rados [options] VERB ...", ""];
  for (const [title, verbs] of FAMILIES) {
    lines.push(`${title}:`);
    for (const [name, verb] of Object.entries(verbs)) {
      const call = `  ${name} ${verb.arguments}`.trimEnd();
      lines.push(call.length < 40 ? `${call.padEnd(40)}${verb.summary}` : call);
      if (call.length >= 40) lines.push(`${" ".repeat(40)}${verb.summary}`);
    }
    lines.push("");
  }
  lines.push("options, besides those of every client of Ceph (-c, --id, -n, -k, -m, --cluster):");
  for (const option of Object.values(RADOS_OPTIONS)) {
    const { names, value, help: text } = { help: undefined, value: "", ...option };
    if (text !== undefined) lines.push(`  ${names.join(", ")} ${value}`.padEnd(40) + text);
  }
  return `${lines.join("\n")}\n`;
}

function usageOf(name: string, verb: Verb): string {
  const call = `spirula rados [options] ${name} ${verb.arguments}`.trimEnd();
  return `rados ${name}: usage: ${call} (most need a pool: -p POOL; 'spirula rados --help' tells more)`;
}

/** What the last of the words may become. */
export async function completeRados(words: readonly string[]): Promise<readonly string[]> {
  const own = Object.values(RADOS_OPTIONS).map((option) => ({
    names: option.names,
    takesValue: "value" in option,
  }));
  const common = { names: CEPH_ARGUMENT_NAMES, takesValue: true };
  return completeWords(words, [...own, common], (before) =>
    before.length === 0 ? Object.keys(RADOS_VERBS) : [],
  );
}

/** @returns the exit code */
export async function runRados(words: readonly string[]): Promise<number> {
  return await runCommand("rados", async () => {
    if (words.length === 0) throw new CommandFailure("rados: -h or --help for usage");
    const args = cephArguments(words);
    if (asksFor(args, "-h", "--help")) {
      process.stdout.write(help());
      return 0;
    }
    if (asksFor(args, "-v", "--version")) {
      process.stdout.write(`${VERSION_TEXT}\n`);
      return 0;
    }
    return await runVerb(args);
  });
}

async function runVerb(args: CephArguments): Promise<number> {
  const { options, rest } = takeOptions(args.rest, RADOS_OPTIONS);
  const [name, ...words] = rest;
  if (name === undefined) {
    throw new CommandFailure("rados: you must give an action. Try --help");
  }
  checkNumbers(options);
  const format = options.get("format");
  if (format !== undefined && !isStructuredFormat(format)) {
    throw new CommandFailure(`unrecognized format: ${format}`, BAD_OPTION_EXIT);
  }
  const keyFromFile = await nameInFile(options.get("omapKeyFile"));
  const nameFromFile = await nameInFile(options.get("objNameFile"));
  const cluster = await connectCluster(args).catch((error: unknown) => {
    if (!(error instanceof ConnectFailure)) throw error;
    throw new CommandFailure(`couldn't connect to cluster: ${error.message}`, 1, error);
  });
  try {
    await makePool(cluster, options);
    const pgid = await chosenGroup(cluster, options);
    const pool = await choosePool(cluster, options, pgid);
    const verb = Object.hasOwn(RADOS_VERBS, name) ? RADOS_VERBS[name] : undefined;
    if (verb === undefined) {
      throw new CommandFailure(
        `unrecognized command ${name}; -h or --help for usage\nerror 22: (22) Invalid argument`,
      );
    }
    const parts = { cluster, options, words, pool, pgid, format, nameFromFile, keyFromFile };
    const context = new RadosContext({ ...parts, usage: usageOf(name, verb) });
    if (pool?.snap !== undefined) await saySnapshot(context, pool.snap);
    try {
      await verb.run(context);
    } finally {
      // What was printed before a failure is seen before it.
      await context.out.flush();
    }
    return 0;
  } finally {
    await cluster.close();
  }
}

/** A name is all of its file, odd bytes and line ends too. */
async function nameInFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const bytes = await attempt(`can't open ${path}`, () => readWhole(path));
  return nameText(bytes.toString("latin1"));
}

async function makePool(cluster: Cluster, options: RadosOptions): Promise<void> {
  if (!options.has("create")) return;
  const name = options.get("pool");
  if (name === undefined) {
    throw new CommandFailure("--create-pool requested but pool_name was not specified!");
  }
  await attempt(`error creating pool ${name}`, () => cluster.createPool(name));
}

async function chosenGroup(cluster: Cluster, options: RadosOptions): Promise<PgId | undefined> {
  const text = options.get("pgid");
  if (text === undefined) return undefined;
  const pgid = parsePgId(text);
  const name = options.get("pool");
  const pool = (await cluster.pools()).find((each) => each.name === name);
  const isOfPool = name === undefined || pool?.id === pgid?.pool;
  if (pgid === undefined || !isOfPool) throw new CommandFailure("invalid pgid");
  return pgid;
}

async function choosePool(
  cluster: Cluster,
  options: RadosOptions,
  pgid: PgId | undefined,
): Promise<ChosenPool | undefined> {
  const named = options.get("pool");
  for (const option of ["snap", "locator", "namespace", "snapid"] as const) {
    if (!options.has(option) || named !== undefined) continue;
    const flag = RADOS_OPTIONS[option].names.at(-1);
    throw new CommandFailure(`pool name must be specified with ${flag}`);
  }
  const pool = named ?? pgid?.pool;
  if (pool === undefined) return undefined;
  const shown = named ?? `with id ${pool}`;
  const opened = await attempt(`error opening pool ${shown}`, () => cluster.openPool(pool));
  const io = opened
    .inNamespace(options.get("namespace") ?? "")
    .withLocator(options.get("locator") ?? "");
  return { name: shown, io, snap: await chosenSnapshot(io, options) };
}

async function chosenSnapshot(io: IoCtx, options: RadosOptions): Promise<bigint | undefined> {
  const name = options.get("snap");
  if (name === undefined && !options.has("snapid")) return undefined;
  const all = await io.snapshots();
  if (name !== undefined) {
    const found = all.find((snapshot) => snapshot.name === name);
    if (found !== undefined) return found.id;
    throw new CommandFailure(`error looking up snap '${name}': (2) No such file or directory`);
  }
  const id = BigInt(numberOf(options, "snapid", 0));
  if (all.some((snapshot) => snapshot.id === id)) return id;
  throw new CommandFailure(`snapid ${id} doesn't exist in pool ${io.poolName}`);
}

async function saySnapshot({ io, out }: RadosContext, id: bigint): Promise<void> {
  const found = (await io.snapshots()).find((snapshot) => snapshot.id === id);
  await out.say(`selected snap ${id} '${found?.name ?? ""}'`);
}
