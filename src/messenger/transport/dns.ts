/**
 * Names of hosts and services, as the system knows them.
 */

import { lookup, resolveSrv } from "node:dns/promises";

/** One of the hosts that offer a service. */
export interface ServiceHost {
  readonly host: string;
  readonly port: number;
  /** Lower is tried first. */
  readonly priority: number;
}

export interface Resolver {
  /** IP addresses of a host, as the system orders them. Rejects if it has none. */
  addresses(host: string): Promise<string[]>;
  /** Hosts of a TCP service in the system's domain, or in one that the name gives. Rejects if there is none. */
  service(name: string): Promise<ServiceHost[]>;
}

export const systemResolver: Resolver = {
  addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  service: async (name) =>
    (await resolveSrv(name)).map(({ name: host, port, priority }) => ({ host, port, priority })),
};
