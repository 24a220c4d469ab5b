/**
 * Addresses among a command's words: an IP address with a port, and with a nonce behind it.
 * compat: as 16.2.15, which reads `v2:` as IPv6 whatever follows. Where it dies of an exception (an IPv6
 * address in brackets with nothing behind them, a port that is no number) the address is judged here.
 * ceph: src/pybind/ceph_argparse.py CephIPAddr, CephEntityAddr
 */

import { isIPv4, isIPv6 } from "node:net";
import { invalid } from "./argument-error.ts";
import { pythonDecimal } from "./python-text.ts";

const PORT_MAX = 65_535n;

/** @throws ArgumentError */
export function checkIpAddress(word: string): void {
  const { family, address } = familyOf(word);
  if (family === 4) checkIpv4(address);
  else checkIpv6(address);
}

function familyOf(word: string): { family: 4 | 6; address: string } {
  for (const [prefix, family] of [
    ["v1:", 4],
    ["v2:", 6],
    ["any:", 4],
  ] as const) {
    if (word.startsWith(prefix)) return { family, address: word.slice(prefix.length) };
  }
  const family = !word.startsWith("[") && word.includes(".") ? 4 : 6;
  return { family, address: word };
}

function checkIpv4(address: string): void {
  const colon = address.indexOf(":");
  const ip = colon < 0 ? address : address.slice(0, colon);
  if (colon >= 0) {
    const port = address.slice(colon + 1);
    const number = pythonDecimal(port);
    if (number === undefined || number > PORT_MAX) throw invalid(`${port}: invalid IPv4 port`);
  }
  if (!isIPv4(ip)) throw invalid(`${ip}: invalid IPv4 address`);
}

function checkIpv6(address: string): void {
  if (!address.startsWith("[")) {
    if (!isPlainIpv6(address)) throw invalid(`${address} not valid IPv6 address`);
    return;
  }
  const end = address.indexOf("]");
  if (end < 0) throw invalid(`${address} missing terminating ]`);
  const behind = address.slice(end + 1);
  const port = behind.startsWith(":") ? pythonDecimal(behind.slice(1)) : 0n;
  if (port === undefined) throw invalid(`${address}: bad port number`);
  if (!isPlainIpv6(address.slice(1, end))) throw invalid(`${address} not valid IPv6 address`);
  if (port > PORT_MAX) throw invalid(`${port} not a valid port number`);
}

/** Without the name of a link behind it. */
function isPlainIpv6(ip: string): boolean {
  return isIPv6(ip) && !ip.includes("%");
}

/** @throws ArgumentError */
export function checkEntityAddress(word: string): void {
  const [ip = "", nonce, ...more] = word.split("/");
  if (nonce === undefined) return checkIpAddress(word);
  if (more.length > 0) throw invalid(`${word}: invalid entity, more than one /`);
  const isInside = nonce.endsWith("]");
  const bare = isInside ? nonce.slice(0, -1) : nonce;
  checkIpAddress(isInside ? `${ip}]` : ip);
  if (bare === "") return;
  const number = pythonDecimal(bare);
  if (number === undefined || number < 0n) {
    throw invalid(`${word}: invalid entity, nonce ${bare} not integer > 0`);
  }
}
