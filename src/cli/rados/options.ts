/**
 * The options of `spirula rados`, as a table: what is read of a command line, and what the help says.
 * ceph: src/tools/rados/rados.cc main
 */

import { CommandFailure, type OptionSpec, parseIecSize } from "../client/index.ts";

export const RADOS_OPTIONS = {
  pool: { names: ["-p", "--pool"], value: "POOL", help: "the pool" },
  namespace: { names: ["-N", "--namespace"], value: "NAME", help: "the namespace of objects" },
  all: { names: ["--all"], help: "ls, cleanup: objects of all namespaces" },
  default: { names: ["--default"], help: "ls: of the default one, whatever CEPH_ARGS says" },
  locator: { names: ["--object-locator"], value: "WORD", help: "what objects are placed by" },
  pgid: { names: ["--pgid"], value: "PG", help: "ls: objects of one placement group" },
  snap: { names: ["-s", "--snap"], value: "NAME", help: "read at this snapshot of the pool" },
  snapid: { names: ["-S", "--snapid"], value: "ID", help: "the same, by its id" },
  create: { names: ["-C", "--create", "--create-pool"], help: "make the pool first" },
  format: {
    names: ["-f", "--format"],
    value: "FORMAT",
    help: "json, json-pretty, xml, xml-pretty",
  },
  pretty: { names: ["--pretty-format"], help: "results on several lines, with names" },
  output: { names: ["-o", "--output"], value: "FILE", help: "ls, bench: where the result goes" },
  objNameFile: { names: ["--obj-name-file"], value: "FILE", help: "holds the object's name" },
  omapKeyFile: { names: ["--omap-key-file"], value: "FILE", help: "holds the omap's key" },
  inputFile: { names: ["--input-file"], value: "FILE", help: "setomapval: holds the value" },
  blockSize: { names: ["-b", "--block-size"], value: "SIZE", help: "of one request; 4M" },
  objectSize: { names: ["-O", "--object-size"], value: "SIZE", help: "bench: of an object" },
  offset: { names: ["--offset"], value: "BYTES", help: "put: where to begin" },
  forceFull: { names: ["--force-full"], help: "rm: from a full cluster, too" },
  targetPool: { names: ["--target-pool"], value: "POOL", help: "cp: of the copy" },
  targetLocator: { names: ["--target-locator"], value: "WORD", help: "cp: what it is placed by" },
  targetNspace: { names: ["--target-nspace"], value: "NAME", help: "cp: its namespace" },
  concurrentIos: { names: ["-t", "--concurrent-ios"], value: "N", help: "requests at a time; 16" },
  maxObjects: { names: ["--max-objects"], value: "N", help: "bench write: at most so many" },
  noCleanup: { names: ["--no-cleanup"], help: "bench write: leave the objects for reading" },
  noHints: { names: ["--no-hints"], help: "bench write: tell the store nothing of the objects" },
  noVerify: { names: ["--no-verify"], help: "bench seq, rand: do not look at what is read" },
  reuseBench: { names: ["--reuse-bench"], help: "bench write: the objects of an earlier run" },
  runName: { names: ["--run-name"], value: "NAME", help: "bench, cleanup: the run's own name" },
  prefix: { names: ["--prefix"], value: "PREFIX", help: "cleanup: how objects' names begin" },
  showTime: { names: ["--show-time"], help: "bench: the time before each line" },
  writeObject: { names: ["--write-object"], help: "bench write: data, as is the rule" },
  writeOmap: { names: ["--write-omap"], help: "bench write: an omap" },
  writeXattr: { names: ["--write-xattr"], help: "bench write: attributes" },
  numObjects: { names: ["--num-objects"], value: "N", help: "load-gen: how many; 200" },
  minObjectSize: { names: ["--min-object-size"], value: "SIZE", help: "load-gen: 1K" },
  maxObjectSize: { names: ["--max-object-size"], value: "SIZE", help: "load-gen: 5G" },
  minOpLen: { names: ["--min-op-len"], value: "SIZE", help: "load-gen: 1K" },
  maxOpLen: { names: ["--max-op-len"], value: "SIZE", help: "load-gen: 2M" },
  maxOps: { names: ["--max-ops"], value: "N", help: "load-gen: at a time; 16" },
  maxBacklog: { names: ["--max-backlog"], value: "SIZE", help: "load-gen: on their way; 10M" },
  targetThroughput: {
    names: ["--target-throughput"],
    value: "SIZE",
    help: "load-gen: a second; 5M",
  },
  offsetAlign: { names: ["--offset-align"], value: "SIZE", help: "load-gen: where requests begin" },
  readPercent: { names: ["--read-percent"], value: "N", help: "load-gen: of the requests; 80" },
  runLength: { names: ["--run-length"], value: "SECONDS", help: "load-gen: 60" },
  lockTag: { names: ["--lock-tag"], value: "TAG", help: "lock: those with one tag share it" },
  lockCookie: { names: ["--lock-cookie"], value: "COOKIE", help: "lock: which holder" },
  lockDescription: {
    names: ["--lock-description"],
    value: "TEXT",
    help: "lock: for others to see",
  },
  lockDuration: { names: ["--lock-duration"], value: "SECONDS", help: "lock: until it ends" },
  lockType: { names: ["--lock-type"], value: "TYPE", help: "lock: shared or exclusive" },
  withClones: { names: ["--with-clones"], help: "cache-flush, cache-evict: the clones, too" },
  withReference: { names: ["--with-reference"], help: "set-redirect: the target counts it" },
  // Read and passed over, as the original does.
  deleteAfter: { names: ["-d", "--delete-after"] },
  workers: { names: ["--workers"], value: "N" },
} as const satisfies Record<string, OptionSpec>;

export type RadosOption = keyof typeof RADOS_OPTIONS;
export type RadosOptions = ReadonlyMap<RadosOption, string>;

/** Those whose values are numbers, checked before anything is done.  ceph: rados_tool_common */
const NUMBERS: readonly RadosOption[] = [
  "concurrentIos",
  "blockSize",
  "objectSize",
  "maxObjects",
  "offset",
  "snapid",
  "minObjectSize",
  "maxObjectSize",
  "minOpLen",
  "maxOpLen",
  "maxOps",
  "maxBacklog",
  "targetThroughput",
  "readPercent",
  "numObjects",
  "runLength",
  "offsetAlign",
];

/** The exit code of the original for an option that cannot be: its -EINVAL, cut to a byte. */
export const BAD_OPTION_EXIT = 234;

/** @throws CommandFailure if one is no number */
export function checkNumbers(options: RadosOptions): void {
  for (const option of NUMBERS) numberOf(options, option, 0);
}

/** An option's number. @throws CommandFailure if it is none */
export function numberOf(options: RadosOptions, option: RadosOption, unset: number): number {
  const text = options.get(option);
  if (text === undefined) return unset;
  const value = parseIecSize(text);
  if (typeof value === "number") return value;
  const name = RADOS_OPTIONS[option].names.at(-1)?.replace(/^-+/, "");
  throw new CommandFailure(`Invalid value for ${name}: ${value.error}`, BAD_OPTION_EXIT);
}
