/**
 * A client's options from where Ceph's clients have them: `ceph.conf` by its search path, the environment,
 * the command line.
 * ceph: src/common/config.cc, src/global/global_init.cc global_pre_init
 */

import { readFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { basename } from "node:path";
import process from "node:process";
import { ConfigError, parseIni } from "../base/index.ts";
import {
  type CephArguments,
  ClientConfig,
  CONF_PATHS,
  parseCephArguments,
  splitPaths,
  withEnvironment,
} from "../config/index.ts";
import { type AuthEntity, entityTypeName, parseAuthEntity } from "../types/index.ts";

/** Larger files are no configuration.  ceph: MAX_CONFIG_FILE_SZ */
const CONF_BYTES_MAX = 0x4000_0000;

export interface ConfigOptions {
  /**
   * Path of a configuration file, or several with `,` between, of which the first that is there counts; false:
   * none is read. @default `CEPH_CONF`, or `/etc/ceph/$cluster.conf`, `~/.ceph/$cluster.conf`, `$cluster.conf`
   */
  readonly conf?: string | false;
  /** @default the configuration file's name before `.conf`, or "ceph" */
  readonly cluster?: string;
  /** Who connects: type and id. @default "client.admin", or as `CEPH_ARGS` has it */
  readonly name?: string;
  /** Options by name, before all that files and environment say: `{ mon_host: "10.0.0.1" }`. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  /** A command line's words that every Ceph command knows; see `parseCephArguments`. */
  readonly args?: Omit<CephArguments, "rest">;
  /** What `$pid` stands for, in another process's options. @default this process's id */
  readonly pid?: number;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface FoundConfig {
  readonly config: ClientConfig;
  readonly entity: AuthEntity;
  /** Path of the configuration file that was read; undefined: none was there. */
  readonly path: string | undefined;
  /** Whether the monitors are asked for what they have for the client. */
  readonly asksMonitors: boolean;
  /** Lines for the user: values that could not be taken. */
  readonly problems: readonly string[];
}

/**
 * Reads what a client goes by.
 * @throws ConfigError if a file that was named is not there, or one cannot be read or understood
 */
export async function readConfig(wanted: ConfigOptions = {}): Promise<FoundConfig> {
  const env = wanted.env ?? process.env;
  const fromEnv = parseCephArguments(withEnvironment(env["CEPH_ARGS"], []));
  if ("error" in fromEnv) throw new ConfigError(`CEPH_ARGS: ${fromEnv.error}`);
  const said = [wanted.args, fromEnv];
  const entity = entityOf(wanted, said);
  const named = wanted.conf ?? said.find((args) => args?.conf !== undefined)?.conf;
  const isNone = named === false || said.some((args) => args?.noConfigFile === true);
  const paths = named === undefined || named === false ? (env["CEPH_CONF"] ?? CONF_PATHS) : named;
  const cluster = wanted.cluster ?? said.find((args) => args?.cluster !== undefined)?.cluster;
  const facts = {
    cluster: cluster ?? "ceph",
    type: entityTypeName(entity.type),
    id: entity.id,
    host: hostname().split(".")[0] ?? "",
    pid: wanted.pid ?? process.pid,
    home: env["HOME"] ?? homedir(),
  };
  const file = isNone ? undefined : await findConf(new ClientConfig(facts), paths);
  if (file === undefined && !isNone && paths !== CONF_PATHS) {
    throw new ConfigError(`unable to open config file from search list ${paths}`);
  }
  // A file that only the environment or the search has named says nothing of the cluster's name.
  const fromFile = named === undefined ? "ceph" : clusterOf(file?.path);
  const config = new ClientConfig({ ...facts, cluster: cluster ?? fromFile });
  const keyring = env["CEPH_KEYRING"];
  const problems = [
    ...(file === undefined ? [] : config.loadFile(file.sections)),
    ...config.load("env", [
      ...(keyring === undefined ? [] : [["keyring", keyring] as const]),
      ...fromEnv.options,
    ]),
    ...config.load("cmdline", wanted.args?.options ?? []),
    ...config.load(
      "override",
      Object.entries(wanted.options ?? {}).map(([name, value]) => [name, String(value)] as const),
    ),
  ];
  const asksMonitors = !said.some((args) => args?.noMonConfig === true);
  return { config, entity, path: file?.path, asksMonitors, problems };
}

function entityOf(wanted: ConfigOptions, said: readonly (ConfigOptions["args"] | undefined)[]) {
  const name = wanted.name ?? said.find((args) => args?.name !== undefined)?.name;
  const id = wanted.name ?? said.find((args) => args?.id !== undefined)?.id;
  // compat: the one that comes last on a command line counts; that both are there is rare, and the id is the finer word.
  const text = wanted.name ?? (id === undefined ? (name ?? "client.admin") : `client.${id}`);
  const entity = parseAuthEntity(text);
  if (entity === undefined) {
    throw new ConfigError(
      `error parsing '${text}': expected string of the form TYPE.ID, valid types are: auth, mon, osd, mds, mgr, client`,
    );
  }
  return entity;
}

/** A cluster's name is that of the file that somebody has named.  ceph: md_config_t::parse_config_files */
function clusterOf(path: string | undefined): string {
  return path?.endsWith(".conf") === true ? basename(path, ".conf") : "ceph";
}

/** The first file of a list that is there. */
async function findConf(config: ClientConfig, paths: string) {
  for (const written of splitPaths(paths)) {
    const path = config.expand(written);
    const text = await readIfThere(path, CONF_BYTES_MAX);
    if (text === undefined) continue;
    const sections = parseIni(text);
    if (!Array.isArray(sections)) {
      throw new ConfigError(`${path}:${sections.line}: ${sections.reason}`);
    }
    return { path, sections };
  }
  return undefined;
}

/** A file's text; undefined if there is no such file. @throws ConfigError if it is there and cannot be read */
export async function readIfThere(path: string, bytesMax: number): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > bytesMax) {
      throw new ConfigError(`${path}: is ${bytes.length} bytes, but the maximum is ${bytesMax}`);
    }
    return bytes.toString("utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: cannot be read: ${code ?? (error as Error).message}`, error);
  }
}
