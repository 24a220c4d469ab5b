/**
 * Where the monitors are: what `mon_host` says, in all the ways it may say it.
 *
 *     10.0.0.1  10.0.0.1:3300  v2:10.0.0.1:3300/0  [v2:10.0.0.1:3300,v1:10.0.0.1:6789]  mon.example.com  [::1]
 *
 * with `,`, `;` or blanks between. Only messenger v2 is spoken, so an address with v1's port is tried at v2's.
 * ceph: src/common/ceph_argparse.cc parse_ip_port_vec, src/mon/MonMap.cc _add_ambiguous_addr
 */

import { ConfigError } from "../base/index.ts";
import type { Resolver } from "../messenger/index.ts";
import { ADDR_TYPE, type AddrVec, isIpAddress } from "../types/index.ts";

/** ceph: CEPH_MON_PORT_IANA, CEPH_MON_PORT_LEGACY */
const MON_PORT = 3300;
const LEGACY_PORT = 6789;

/** A monitor's address as it is written: the host may be a name still. */
export interface MonHost {
  readonly host: string;
  readonly port: number;
}

/** @throws ConfigError if a part of it is no address */
export function parseMonHosts(text: string): MonHost[] {
  const found = new Map<string, MonHost>();
  for (const item of splitOutsideBrackets(text)) {
    const inside = /^\[(.*)\]$/s.exec(item)?.[1] ?? "";
    // In brackets are one monitor's addresses, or an IPv6 address.
    const isOne = inside === "" || isIpAddress(inside);
    const addrs = isOne ? [item] : splitOutsideBrackets(inside);
    const usable = addrs.map((addr) => parseMonHost(addr, text)).find((host) => host !== undefined);
    if (usable !== undefined) found.set(`${usable.host} ${usable.port}`, usable);
  }
  return [...found.values()];
}

/** Items between blanks, commas and semicolons that no bracket holds together. */
function splitOutsideBrackets(text: string): string[] {
  const items = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "[") depth++;
    if (char === "]") depth--;
    if (depth === 0 && /[\s,;]/.test(char)) items.push("");
    else items.push((items.pop() ?? "") + char);
  }
  return items.filter((item) => item !== "");
}

/** undefined: an address of messenger v1 alone. */
function parseMonHost(written: string, text: string): MonHost | undefined {
  const [, type, addr = ""] = /^(?:(v1|v2|any):)?(.*?)(?:\/\d+)?$/s.exec(written) ?? [];
  const [, v6, name, portText = "0"] = /^(?:\[([^[\]]*)\]|([^:[\]]+))(?::(\d+))?$/.exec(addr) ?? [];
  // An IPv6 address without brackets has no port.
  const host = isIpAddress(addr) ? addr : (v6 ?? name ?? "");
  const port = isIpAddress(addr) ? 0 : Number(portText);
  if (host === "" || port > 65_535 || (v6 !== undefined && !isIpAddress(v6))) {
    throw new ConfigError(`unable to parse addrs in '${text}'`);
  }
  if (type === "v1") return undefined;
  return { host, port: port === 0 || port === LEGACY_PORT ? MON_PORT : port };
}

/**
 * The addresses to try, from the options of a client.
 * @throws ConfigError if there are none, or a host's name leads nowhere
 */
export async function findMonitors(
  get: (option: string) => string,
  resolver: Resolver,
): Promise<AddrVec[]> {
  const text = get("mon_host_override") || get("mon_host");
  const hosts =
    text === "" ? await hostsOfService(get("mon_dns_srv_name"), resolver) : parseMonHosts(text);
  if (hosts.length === 0) {
    const why = text === "" ? "no monitors specified" : `'${text}' has no address of messenger v2`;
    throw new ConfigError(`${why}: set mon_host in ceph.conf, or name one with -m`);
  }
  const found: AddrVec[] = [];
  for (const { host, port } of hosts) {
    for (const ip of await addressesOf(host, resolver)) {
      found.push([{ type: ADDR_TYPE.MSGR2, nonce: 0, ip, port }]);
    }
  }
  return found;
}

async function addressesOf(host: string, resolver: Resolver): Promise<string[]> {
  if (isIpAddress(host)) return [host];
  try {
    return await resolver.addresses(host);
  } catch (error) {
    throw new ConfigError(`monitor ${host}: no such host`, error);
  }
}

/** `ceph-mon`, or `ceph-mon_example.com` for another domain. */
async function hostsOfService(name: string, resolver: Resolver): Promise<MonHost[]> {
  const [service = "", domain] = name.split(/_(.*)/s);
  const query = domain === undefined ? `_${service}._tcp` : `_${service}._tcp.${domain}`;
  try {
    const hosts = await resolver.service(query);
    return hosts
      .toSorted((a, b) => a.priority - b.priority)
      .map(({ host, port }) => ({ host, port: port === LEGACY_PORT ? MON_PORT : port }));
  } catch {
    // Most networks have no such record; the caller says what to do.
    return [];
  }
}
