/**
 * `osd blocklist …`: clients that are locked out, one by one or by the network they come from.
 * ceph: src/mon/OSDMonitor.cc
 */

import { formatDouble } from "../../encoding/index.ts";
import { addrMapKey, compareAddrs, type OsdMap } from "../../maps/index.ts";
import {
  ADDR_TYPE,
  type EntityAddr,
  formatAddr,
  formatUtime,
  isIpAddress,
  type Utime,
  utimeFromMs,
} from "../../types/index.ts";
import type { PendingMap } from "../services/osd-map.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** Default of `osd blocklist add`, seconds: as upstream's `mon osd blocklist default expire`. */
const BLOCKLIST_EXPIRE_S = 3600;
/** Times are 32 bits of seconds; what is over later is over at the last of them. */
const UTIME_SEC_MAX = 0xffff_ffff;
/** Of either kind. */
export const BLOCKLIST_MAX = 10_000;

/** An address as it was typed. Its nonce is a network's prefix length, in bits, if it is to be a range. */
interface ParsedAddr {
  readonly addr: EntityAddr;
  /** How a complaint names it. */
  readonly text: string;
}

/** IPv6 comes in brackets or, without a port, bare. */
const ADDR_FORM =
  /^(?:(?<v4>\d{1,3}(?:\.\d{1,3}){3})(?::(?<port>\d{1,5}))?|\[(?<v6>[0-9a-fA-F:.]+)\](?::(?<port6>\d{1,5}))?|(?<bare>[0-9a-fA-F:.]*))(?:\/(?<nonce>\d{1,10}))?$/;

/** `10.1.2.3`, `10.1.2.3:0/77`, `v1:…`, `[::1]:0/5`, `fe80::/64`; undefined if it is none of them. */
export function parseAddr(text: string): ParsedAddr | undefined {
  const [, type = "v2", rest = ""] = /^(?:(v[12]|any):)?(.*)$/.exec(text.trimEnd()) ?? [];
  const { v4, v6, bare, nonce = "0", ...ports } = ADDR_FORM.exec(rest)?.groups ?? {};
  const ip = v4 ?? v6 ?? bare ?? "";
  const port = Number(ports["port"] ?? ports["port6"] ?? 0);
  if (!isIpAddress(ip) || port > 65535 || Number(nonce) > 0xffff_ffff) return undefined;
  // Lock-outs are looked up by address and nonce whatever the type; maps carry type any.
  const addr = { type: ADDR_TYPE.ANY, ip, port, nonce: Number(nonce) };
  return { addr, text: (type === "any" ? "" : `${type}:`) + formatAddr(addr) };
}

/** Why an address is no range; undefined if it is one. */
function rangeRefusal({ addr, text }: ParsedAddr): Refusal | undefined {
  if (addr.nonce === 0 || addr.port !== 0) {
    const what = `You specified a range command, but ${text} does not parse as a CIDR range`;
    return new Refusal("EINVAL", what);
  }
  if (addr.nonce > (addr.ip.includes(":") ? 128 : 32)) {
    return new Refusal("EINVAL", "Too many bits in range for that protocol!");
  }
  return undefined;
}

/** The two lists of a map, and what an incremental adds to them and takes away. */
const LISTS = {
  client: { entries: "blocklist", added: "newBlocklist", removed: "oldBlocklist", prefix: "" },
  range: {
    entries: "rangeBlocklist",
    added: "newRangeBlocklist",
    removed: "oldRangeBlocklist",
    prefix: "cidr:",
  },
} as const;
type List = (typeof LISTS)[keyof typeof LISTS];

function removeEntry(pending: PendingMap, list: List, addr: EntityAddr): string {
  const key = addrMapKey(addr);
  const name = list.prefix + formatAddr(addr);
  if (!pending.map[list.entries].has(key)) return `${name} isn't blocklisted`;
  pending.edit((inc) => {
    inc[list.added].delete(key);
    if (pending.base[list.entries].has(key)) inc[list.removed].push(addr);
  });
  return `un-blocklisting ${name}`;
}

/** compat: adding again moves the end; upstream says so too, but its map keeps the first. */
function addEntry(
  pending: PendingMap,
  list: List,
  addr: EntityAddr,
  { until, seconds }: { until: Utime; seconds: number },
): Refusal | string {
  const key = addrMapKey(addr);
  const entries = pending.map[list.entries];
  if (!entries.has(key) && entries.size >= BLOCKLIST_MAX) {
    return new Refusal("ENOSPC", `there are ${BLOCKLIST_MAX} entries already`);
  }
  pending.edit((inc) => {
    inc[list.added].set(key, { addr, until });
    inc[list.removed] = inc[list.removed].filter((old) => addrMapKey(old) !== key);
  });
  const name = list.prefix + formatAddr(addr);
  return `blocklisting ${name} until ${formatUtime(until)} (${formatDouble(seconds, 6)} sec)`;
}

function untilOf(now: number, seconds: number): Utime {
  const { nsec } = utimeFromMs(now);
  const end = Math.floor(now / 1000) + seconds;
  return end >= UTIME_SEC_MAX ? { sec: UTIME_SEC_MAX, nsec } : utimeFromMs(now + seconds * 1000);
}

async function blocklist(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const op = args.text("blocklistop") ?? args.text("blacklistop");
  const text = args.text("addr") ?? "";
  const range = args.text("range");
  if (op !== "add" && op !== "rm") return refused("EINVAL", `unknown operation '${op}'`);
  const parsed = parseAddr(text);
  if (parsed === undefined) return refused("EINVAL", `unable to parse address ${text}`);
  if (range !== undefined && range !== "range") {
    return refused("EINVAL", 'Did you mean to specify "osd blocklist range"?');
  }
  const refusal = range === undefined ? undefined : rangeRefusal(parsed);
  const list = range === undefined ? LISTS.client : LISTS.range;
  const { addr } = parsed;
  const seconds = args.number("expire") ?? BLOCKLIST_EXPIRE_S;
  return await changeMap(ctx, (pending) => {
    if (refusal !== undefined) return refusal;
    if (op === "rm") return removeEntry(pending, list, addr);
    const until = untilOf(ctx.state.clock.now(), seconds);
    return addEntry(pending, list, addr, { until, seconds });
  });
}

interface Row {
  readonly addr: string;
  readonly until: string;
}

/** Ranges are in order of address, clients as they came (upstream's order is that of a hash table). */
function rowsOf(map: OsdMap): { clients: Row[]; ranges: Row[] } {
  const row = (entry: { addr: EntityAddr; until: Utime }): Row => ({
    addr: formatAddr(entry.addr),
    until: formatUtime(entry.until),
  });
  const ranges = [...map.rangeBlocklist.values()];
  ranges.sort((a, b) => compareAddrs(a.addr, b.addr));
  return { clients: [...map.blocklist.values()].map(row), ranges: ranges.map(row) };
}

function blocklistLs(ctx: CommandContext, args: Args): CommandReply {
  const { clients, ranges } = rowsOf(ctx.state.maps.map);
  const status = `listed ${clients.length + ranges.length} entries`;
  const plain = () =>
    [
      ...clients.map(({ addr, until }) => `${addr} ${until}\n`),
      ...ranges.map(({ addr, until }) => `cidr:${addr} ${until}\n`),
    ].join("");
  // compat: two values, one behind the other.
  const both = () =>
    args.json(clients.map(({ addr, until }) => ({ addr, until }))) +
    args.json(
      ranges.map(({ addr, until }) => ({ range: addr, until })),
      { root: "range_blocklist" },
    );
  return ok(args.format === "plain" ? plain() : both(), status);
}

async function blocklistClear(ctx: CommandContext): Promise<CommandReply> {
  return await changeMap(ctx, (pending) => {
    for (const list of Object.values(LISTS)) {
      const entries = [...pending.map[list.entries].values()];
      if (entries.length === 0) continue;
      const removed = [...pending.base[list.entries].values()].map(({ addr }) => addr);
      pending.edit((inc) => {
        inc[list.added].clear();
        inc[list.removed] = removed;
      });
    }
    return " removed all blocklist entries";
  });
}

const ADDR = "name=addr,type=CephEntityAddr name=expire,type=CephFloat,range=0.0,req=false";
const list = { module: "osd", perm: "r", run: blocklistLs } as const;
const change = { module: "osd", perm: "rw" } as const;
const { DEPRECATED } = COMMAND_FLAG;

export const blocklistCommands: readonly MonCommand[] = [
  {
    ...change,
    sig: `osd blocklist name=range,type=CephString,goodchars=[range],req=false name=blocklistop,type=CephChoices,strings=add|rm ${ADDR}`,
    help: "lock a client or a network out, or let it in again",
    run: blocklist,
  },
  { ...list, sig: "osd blocklist ls", help: "list who is locked out" },
  {
    ...change,
    sig: "osd blocklist clear",
    help: "let all clients in again",
    run: blocklistClear,
  },
  {
    ...change,
    sig: `osd blacklist name=blacklistop,type=CephChoices,strings=add|rm ${ADDR}`,
    help: "lock a client out, or let it in again",
    flags: DEPRECATED,
    run: blocklist,
  },
  { ...list, sig: "osd blacklist ls", help: "list who is locked out", flags: DEPRECATED },
  {
    ...change,
    sig: "osd blacklist clear",
    help: "let all clients in again",
    flags: DEPRECATED,
    run: blocklistClear,
  },
];
