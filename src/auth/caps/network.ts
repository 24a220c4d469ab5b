/**
 * The network a grant is limited to: `10.0.0.0/8`, `fd00::/8`.
 * ceph: src/common/ipaddr.cc (parse_network, network_contains)
 */

import { isIPv4, isIPv6 } from "node:net";

/** A parsed network, or one whose text makes no sense: such a grant never applies. */
export interface Network {
  readonly contains: (ip: string) => boolean;
}

const NOWHERE: Network = { contains: () => false };

/** Address bytes, or undefined if the text is no address. */
function addressBytes(ip: string): Uint8Array | undefined {
  if (isIPv4(ip)) return Uint8Array.from(ip.split("."), Number);
  if (!isIPv6(ip) || ip.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  let text = ip;
  if (dotted !== null) {
    const [, head = "", a, b, c, d] = dotted;
    const word = (hi: unknown, lo: unknown) => ((Number(hi) << 8) | Number(lo)).toString(16);
    text = `${head}${word(a, b)}:${word(c, d)}`;
  }
  const [head = "", tail] = text.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((w) => parseInt(w, 16)));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((w) => [w >> 8, w & 255]));
}

/** Reads `address/bits`. Text without a mask, or junk, gives a network that contains nothing. */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const bitsText = text.slice(slash + 1);
  const network = slash < 0 ? undefined : addressBytes(text.slice(0, slash));
  if (network === undefined || !/^\d{1,3}$/.test(bitsText)) return NOWHERE;
  const bits = Math.min(Number(bitsText), network.length * 8);
  return {
    contains(ip) {
      const address = addressBytes(ip);
      if (address?.length !== network.length) return false;
      for (let i = 0; i * 8 < bits; i++) {
        const mask = (0xff00 >> Math.min(8, bits - i * 8)) & 0xff;
        if (((network[i] ?? 0) & mask) !== ((address[i] ?? 0) & mask)) return false;
      }
      return true;
    },
  };
}
