/**
 * `spirula start`: one cluster in the foreground until a signal stops it.
 */

import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { parseArgs } from "node:util";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { ConfigError, createLogger, LOG_LEVEL, type LogLevel, systemClock } from "../base/index.ts";
import { type ClusterOptions, installConf, startCluster } from "../cluster/index.ts";
import { isIpAddress, isLoopback } from "../types/index.ts";
import { completeWords, optionsOf } from "./client/complete-words.ts";
import { tell } from "./client/tell.ts";

const HELP = `usage: spirula start [options]

  --data DIR           where the cluster lives           (default ./data)
  --listen ADDRESS     IP address to listen on           (default 127.0.0.1)
  --port PORT          the monitor's port; 0 picks one   (default 3300)
  --osds N             OSDs, each on a port of its own   (default 1, or what DIR has)
  --memory BYTES       memory the process may use; K, M and G work (default 256M)
  --auth cephx|none    how clients prove who they are    (default cephx)
  --require-secure     refuse connections that are not encrypted, on every port
  --i-understand       with --auth none on an address that others reach: all of them may do anything
  --install-conf       also write /etc/ceph/ceph.conf and the admin keyring where none stand
  --log LEVEL          error, warn, info or debug        (default warn)
`;

const DEFAULT_MEMORY = "256M";

function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text);
  if (match === null) throw new ConfigError(`--memory ${text}: not a size; try 256M`);
  const unit = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(match[2] ?? "").toUpperCase()] ?? 1;
  return Number(match[1]) * unit;
}

function parseCount(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new ConfigError(`--${name} ${text}: a number from ${min} to ${max} is needed`);
  }
  return value;
}

interface StartArguments {
  readonly options: ClusterOptions;
  readonly installConf: boolean;
  readonly help: boolean;
}

const OPTIONS = {
  data: { type: "string", default: "./data" },
  listen: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "3300" },
  osds: { type: "string" },
  memory: { type: "string", default: DEFAULT_MEMORY },
  auth: { type: "string", default: "cephx" },
  "require-secure": { type: "boolean", default: false },
  "install-conf": { type: "boolean", default: false },
  "i-understand": { type: "boolean", default: false },
  log: { type: "string", default: "warn" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** What the last of the words may become. */
export async function completeStart(words: readonly string[]): Promise<readonly string[]> {
  return completeWords(words, optionsOf(OPTIONS), () => []);
}

export function parseStartArguments(args: string[]): StartArguments {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
  try {
    ({ values } = parseArgs({ args, options: OPTIONS, strict: true }));
  } catch (error) {
    throw new ConfigError(`start: ${(error as Error).message}`, error);
  }
  const { auth, data, listen, log } = values;
  if (data === "") throw new ConfigError("--data '': a directory is needed");
  if (!isIpAddress(listen)) {
    throw new ConfigError(`--listen ${listen}: an IP address is needed, such as 127.0.0.1`);
  }
  if (auth !== "cephx" && auth !== "none") {
    throw new ConfigError(`--auth ${auth}: cephx or none is needed`);
  }
  if (auth === "none" && !isLoopback(listen) && !values["i-understand"]) {
    throw new ConfigError(
      `--auth none with --listen ${listen}: whoever reaches this address may do anything; ` +
        "leave --auth out, or add --i-understand",
    );
  }
  if (!Object.hasOwn(LOG_LEVEL, log)) {
    throw new ConfigError(`--log ${log}: error, warn, info or debug is needed`);
  }
  return {
    help: values.help,
    installConf: values["install-conf"],
    options: {
      data,
      listen,
      port: parseCount("port", values.port, 0, 65535),
      ...(values.osds === undefined ? {} : { osds: parseCount("osds", values.osds, 1, 64) }),
      memory: parseSize(values.memory),
      auth,
      requireSecure: values["require-secure"],
      log: createLogger({
        level: log as LogLevel,
        now: () => systemClock.now(),
        sink: (_level, line) => tell(`${line}\n`),
      }),
    },
  };
}

/** Bytes of both halves of the young generation. */
const YOUNG_BYTES = 4 << 20;

/**
 * The collector's manners: a young generation that stops growing at 4 MiB, and an old one that grows by two
 * fifths between collections. By default both grow to tens of megabytes of garbage, which saves a few per
 * cent of processor time and costs more memory than all that the server really keeps; with half of it, every
 * other collection finds the requests of a deep queue still under way and copies them.
 */
function boundHeap(): void {
  setFlagsFromString("--heap-growing-percent=40");
  const isGrown = () =>
    getHeapSpaceStatistics().some(
      (space) => space.space_name === "new_space" && space.space_size >= YOUNG_BYTES,
    );
  const stopGrowth = () => setFlagsFromString("--semi-space-growth-factor=1");
  if (isGrown()) return stopGrowth();
  const observer = new PerformanceObserver(() => {
    if (!isGrown()) return;
    stopGrowth();
    observer.disconnect();
  });
  observer.observe({ entryTypes: ["gc"] });
}

/** Resolves with the first signal that asks us to stop. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(name));
  });
}

export async function runStart(args: string[]): Promise<number> {
  const parsed = parseStartArguments(args);
  if (parsed.help) {
    process.stdout.write(HELP);
    return 0;
  }
  boundHeap();
  const startedAt = performance.timeOrigin;
  const signal = stopSignal();
  const cluster = await startCluster(parsed.options).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new ConfigError(`${parsed.options.data}: ${(error as Error).message}; make room`, error);
  });
  if (parsed.installConf) {
    for (const line of await installConf(cluster)) process.stdout.write(`${line}\n`);
  }
  const seconds = (performance.timeOrigin + performance.now() - startedAt) / 1000;
  process.stdout.write(
    `cluster ${cluster.fsid}: ${cluster.osds} osd${cluster.osds === 1 ? "" : "s"}, monitor at ${cluster.monAddress}\n` +
      `ready in ${seconds.toFixed(2)} s\n\n` +
      `export CEPH_CONF=${cluster.confPath}\n`,
  );
  let failure = await Promise.race([signal.then(() => undefined), cluster.failed]);
  try {
    await cluster.close();
  } catch (error) {
    // After a failure this only follows from it.
    failure ??= error as Error;
  }
  if (failure !== undefined) {
    process.stderr.write(`spirula: ${failure.message}\n`);
    return 1;
  }
  return 0;
}
