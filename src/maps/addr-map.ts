/**
 * Maps keyed by an address: in JavaScript by the address's text, on the wire in the order of its memory.
 * ceph: src/msg/msg_types.h entity_addr_t operator<
 */

import { type Codec, encodeToBytes, list } from "../encoding/index.ts";
import { EntityAddr, formatAddr } from "../types/index.ts";

/** One entry: the address itself and the value under its own name. */
export type AddrEntry<V, N extends string> = { readonly addr: EntityAddr } & Readonly<Record<N, V>>;

/** The key of an address in such a map. */
export const addrMapKey: (addr: EntityAddr) => string = formatAddr;

/** Marker, version header: before the fields that decide the order. */
const PREFIX_BYTES = 7;

/** entity_addr_t's order: type, nonce, then the socket address, byte by byte. */
export function compareAddrs(a: EntityAddr, b: EntityAddr): number {
  const x = encodeToBytes(EntityAddr, a).subarray(PREFIX_BYTES);
  const y = encodeToBytes(EntityAddr, b).subarray(PREFIX_BYTES);
  return Buffer.compare(x, y);
}

/** Offset of the IP address in an encoded address: past type, nonce, length, family, port; IPv6 flow. */
const IPV4_AT = 23;
const IPV6_AT = 27;

/** The 4 or 16 bytes of the IP address; none for a blank address. */
export function ipBytes(addr: EntityAddr): Uint8Array {
  if (addr.ip === "") return new Uint8Array(0);
  const encoded = encodeToBytes(EntityAddr, addr);
  return addr.ip.includes(":")
    ? encoded.subarray(IPV6_AT, IPV6_AT + 16)
    : encoded.subarray(IPV4_AT, IPV4_AT + 4);
}

/** map<entity_addr_t, V>, kept by `addrMapKey(addr)`. */
export function addrMap<V, N extends string>(
  value: Codec<V>,
  name: N,
): Codec<Map<string, AddrEntry<V, N>>> {
  type Entry = AddrEntry<V, N>;
  const entries = list<Entry>({
    name: `pair<entity_addr_t,${value.name}>`,
    minSize: EntityAddr.minSize + value.minSize,
    encode(w, x) {
      EntityAddr.encode(w, x.addr);
      value.encode(w, x[name]);
    },
    decode(r) {
      const addr = EntityAddr.decode(r);
      return { addr, [name]: value.decode(r) } as Entry;
    },
  });
  return {
    name: `map<entity_addr_t,${value.name}>`,
    minSize: 4,
    encode: (w, x) =>
      entries.encode(
        w,
        [...x.values()].sort((a, b) => compareAddrs(a.addr, b.addr)),
      ),
    decode: (r) => new Map(entries.decode(r).map((e) => [addrMapKey(e.addr), e])),
  };
}
