/**
 * Connecting: from a `ceph.conf`, a keyring and the environment, as any client of Ceph's, or from options in
 * code alone.
 *
 *     await using cluster = await connect();
 *     await using other = await connect({ conf: false, options: { mon_host: "10.0.0.1", key: "AQ…==" } });
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ERRNO,
  holdProcess,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from "../base/index.ts";
import { textOf } from "../encoding/index.ts";
import { type Resolver, systemResolver, type Transport, tcpTransport } from "../messenger/index.ts";
import { bounded, type CallOptions, Rados, type Subject, shared } from "../rados/index.ts";
import { Cluster } from "./cluster.ts";
import { type Credentials, findCredentials } from "./credentials.ts";
import { findMonitors } from "./mon-hosts.ts";
import { type ConfigOptions, type FoundConfig, readConfig } from "./read-config.ts";

/** What a client stands on; the system's, unless a test or a simulation has others. */
export interface ClientSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly resolver: Resolver;
}

/** Its time-out is that of connecting. @default client_mount_timeout */
export interface ConnectOptions extends ConfigOptions, CallOptions {
  /**
   * False: a user who may not see the OSD map can connect too, and give commands. Pools cannot be opened before
   * a map has come. @default true
   */
  readonly needsMap?: boolean;
  /** @default none */
  readonly log?: Logger;
  readonly surroundings?: Partial<ClientSurroundings>;
}

/** What is under way while hosts' names are asked for. */
const SEARCH: Subject = { op: "look for", target: "the monitors' addresses" };

/**
 * Connects to a cluster.
 * @throws ConfigError if what the configuration says cannot be used: the message names it and the remedy
 * @throws CephError ENOENT if there is no key, EACCES if the cluster does not take ours, ETIMEDOUT if no
 *   monitor has answered in time; the signal's reason
 */
export async function connect(options: ConnectOptions = {}): Promise<Cluster> {
  return await connectWith(await readConfig(options), options);
}

/** The same, with a configuration that has been read. */
export async function connectWith(
  { config, entity, asksMonitors }: FoundConfig,
  options: Omit<ConnectOptions, keyof ConfigOptions> = {},
): Promise<Cluster> {
  const {
    clock = systemClock,
    random = systemRandom,
    transport = tcpTransport,
    resolver = systemResolver,
  } = options.surroundings ?? {};
  const { log = silentLogger, needsMap } = options;
  options.signal?.throwIfAborted();
  const timeouts = {
    mountTimeoutMs: config.getNumber("client_mount_timeout") * 1000,
    monOpTimeoutMs: config.getNumber("rados_mon_op_timeout") * 1000,
    osdOpTimeoutMs: config.getNumber("rados_osd_op_timeout") * 1000,
  };
  const left = shared(clock, options, timeouts.mountTimeoutMs);
  const search = findMonitors((name) => config.get(name), resolver);
  const monitors = await bounded(clock, left(), () => SEARCH, search);
  const credentials = await findCredentials(config, entity, { clock, random });
  const takeConfig = (values: ReadonlyMap<string, string>) => {
    const text = [...values].map(([name, value]) => [textOf(name), textOf(value)] as const);
    for (const problem of config.load("mon", text)) log.warn("option of the monitors", { problem });
  };
  const wanted = asksMonitors ? { onConfig: takeConfig } : {};
  const around = { clock, random, log };
  const how = { monitors, transport, ...around, needsMap, ...timeouts, ...wanted };
  const open = (auth: ClientAuth) => Rados.connect({ ...how, auth }, left());
  // A server that is away for a while is waited for: with no link there is nothing else that keeps the process.
  const { release } = holdProcess();
  try {
    const engine = await firstTaken(credentials, open);
    return new Cluster(engine, { config, entity, around, release });
  } catch (error) {
    release();
    throw error;
  }
}

/** A monitor that does not take a method says so; then the next one is tried. */
async function firstTaken(
  { methods, noKey }: Credentials,
  open: (auth: ClientAuth) => Promise<Rados>,
): Promise<Rados> {
  let refusal: unknown = noKey;
  for (const auth of methods) {
    try {
      return await open(auth);
    } catch (error) {
      const isNotTaken = error instanceof CephError && error.errno === -ERRNO.EOPNOTSUPP;
      if (!isNotTaken) throw error;
      // What to do about it is to find the key, not to learn of the methods.
      refusal ??= error;
    }
  }
  throw refusal;
}
