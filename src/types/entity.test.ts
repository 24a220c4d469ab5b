import { describe, expect, test } from "vitest";
import { AssertionError } from "../base/index.ts";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  ADDR_TYPE,
  AddrVec,
  AuthEntity,
  addrKey,
  BLANK_ADDR,
  ENTITY_TYPE,
  EntityAddr,
  EntityInst,
  EntityName,
  entityTypeName,
  entityTypeOf,
  formatAddr,
  formatAddrVec,
  formatAuthEntity,
  formatEntityName,
  isIpAddress,
  isLoopback,
  parseAuthEntity,
  parseEntityName,
} from "./entity.ts";

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

const V4: EntityAddr = { type: ADDR_TYPE.MSGR2, nonce: 5, ip: "127.0.0.1", port: 3300 };
const V4_WIRE = hex(
  `01 0101 1c000000 02000000 05000000 10000000 0200 0ce4 7f000001 ${"00".repeat(8)}`,
);
const V6: EntityAddr = { type: ADDR_TYPE.MSGR2, nonce: 1, ip: "fe80::1:0:0:2", port: 6800 };
const V6_WIRE = hex(`01 0101 28000000 02000000 01000000 1c000000 0a00 1a90 00000000
  fe80 0000 0000 0000 0001 0000 0000 0002 00000000`);

describe("entity names", () => {
  test("print as type and number, a client without one as ?", () => {
    expect(formatEntityName({ type: ENTITY_TYPE.CLIENT, num: 4123n })).toBe("client.4123");
    expect(formatEntityName({ type: ENTITY_TYPE.CLIENT, num: -1n })).toBe("client.?");
    expect(formatEntityName({ type: 77, num: 0n })).toBe("unknown77.0");
    expect(parseEntityName("client.4123")).toEqual({ type: ENTITY_TYPE.CLIENT, num: 4123n });
    for (const odd of ["client", "client.", "client.x", "nobody.1"]) {
      expect(parseEntityName(odd), odd).toBeUndefined();
    }
  });

  test("types have names both ways", () => {
    for (const type of Object.values(ENTITY_TYPE))
      expect(entityTypeOf(entityTypeName(type))).toBe(type);
    expect(entityTypeOf("rgw")).toBeUndefined();
  });

  test("of the auth world read and print", () => {
    for (const text of ["client.admin", "osd.0", "mon.", "client.a.b"]) {
      const entity = parseAuthEntity(text);
      expect(entity && formatAuthEntity(entity)).toBe(text);
    }
    expect(parseAuthEntity("client.a.b")).toEqual({ type: ENTITY_TYPE.CLIENT, id: "a.b" });
    for (const text of ["", "admin", "client", ".admin", "rgw.x", "auth.x"]) {
      expect(parseAuthEntity(text), text).toBeUndefined();
    }
  });

  test("round trip on the wire, both kinds", () => {
    const name = { type: ENTITY_TYPE.OSD, num: 2n };
    expect(encodeToBytes(EntityName, name)).toEqual(hex("04 0200000000000000"));
    expect(decodeFromBytes(EntityName, hex("04 0200000000000000"))).toEqual(name);
    const entity = { type: ENTITY_TYPE.CLIENT, id: "x" };
    expect(encodeToBytes(AuthEntity, entity)).toEqual(hex("08000000 01000000 78"));
    expect(decodeFromBytes(AuthEntity, hex("08000000 01000000 78"))).toEqual(entity);
  });

  test.each([
    ["é", "08000000 02000000 c3a9"],
    ["日", "08000000 03000000 e697a5"],
    ["a\udcff", "08000000 02000000 61ff"],
  ])("an id is UTF-8 on the wire, and other bytes are kept: %j", (id, wire) => {
    const entity = { type: ENTITY_TYPE.CLIENT, id };
    expect(encodeToBytes(AuthEntity, entity)).toEqual(hex(wire));
    expect(decodeFromBytes(AuthEntity, hex(wire))).toEqual(entity);
  });
});

describe("addresses", () => {
  test.each([
    ["IPv4", V4, V4_WIRE],
    ["IPv6", V6, V6_WIRE],
    ["blank", BLANK_ADDR, hex("01 0101 0c000000 00000000 00000000 00000000")],
  ])("%s: family little, port big endian; both ways", (_, addr, wire) => {
    expect(encodeToBytes(EntityAddr, addr).toString("hex")).toBe(wire.toString("hex"));
    expect(decodeFromBytes(EntityAddr, wire)).toEqual(addr);
  });

  test.each([
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:db8::8:800:200c:417a", "2001:db8::8:800:200c:417a"],
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["fe80::1%eth0", "fe80::1"],
  ])("IPv6 %s comes back as %s", (ip, canonical) => {
    const back = decodeFromBytes(EntityAddr, encodeToBytes(EntityAddr, { ...V6, ip }));
    expect(back).toEqual({ ...V6, ip: canonical });
  });

  test("ports use all 16 bits", () => {
    for (const port of [0, 1, 255, 256, 0xff00, 65535]) {
      for (const addr of [V4, V6]) {
        const back = decodeFromBytes(EntityAddr, encodeToBytes(EntityAddr, { ...addr, port }));
        expect(back.port).toBe(port);
      }
    }
  });

  test("the legacy form, a whole sockaddr_storage, is read", () => {
    // Its family is big endian.
    const wire = hex(`00 000000 07000000 0002 1a85 0a000001 ${"00".repeat(120)}`);
    expect(decodeFromBytes(EntityAddr, wire)).toEqual({
      type: ADDR_TYPE.LEGACY,
      nonce: 7,
      ip: "10.0.0.1",
      port: 6789,
    });
  });

  test("every cut of every form is refused", () => {
    const legacy = hex(`00 000000 07000000 0002 1a85 0a000001 ${"00".repeat(120)}`);
    for (const wire of [V4_WIRE, V6_WIRE, legacy]) {
      for (let n = 0; n < wire.length; n++) {
        const cut = wire.subarray(0, n);
        expect(() => decodeFromBytes(EntityAddr, cut), `${n}`).toThrow(DecodeError);
      }
    }
  });

  test.each([
    ["an unknown marker", "03 0101 00000000"],
    [
      "a sockaddr that is too long",
      `01 0101 91000000 02000000 00000000 81000000 ${"00".repeat(133)}`,
    ],
    ["an unknown family", "01 0101 10000000 02000000 00000000 04000000 1100 0000"],
    ["an IPv4 sockaddr cut short", "01 0101 12000000 02000000 00000000 06000000 0200 0ce4 7f00"],
    [
      "a sockaddr past its struct",
      "01 0101 0c000000 02000000 00000000 10000000 0200 0ce4 7f000001",
    ],
  ])("%s is refused", (_, wire) => {
    expect(() => decodeFromBytes(EntityAddr, hex(wire))).toThrow(DecodeError);
  });

  test.each([
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1..2.3",
    "host",
    "1:2:3",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "::g",
  ])("%s is no address: writing it is our bug", (ip) => {
    expect(() => encodeToBytes(EntityAddr, { ...V4, ip })).toThrow(AssertionError);
    expect(isIpAddress(ip)).toBe(false);
  });

  test.each([
    ["127.0.0.1", true],
    ["127.255.0.3", true],
    ["::1", true],
    ["128.0.0.1", false],
    ["0.0.0.0", false],
    ["::", false],
    ["::2", false],
  ])("%s leads to this machine alone: %s", (ip, isAlone) => {
    expect(isLoopback(ip)).toBe(isAlone);
  });

  test("print as Ceph prints them", () => {
    expect(formatAddr(V4)).toBe("v2:127.0.0.1:3300/5");
    expect(formatAddr({ ...V4, type: ADDR_TYPE.LEGACY })).toBe("v1:127.0.0.1:3300/5");
    expect(formatAddr({ ...V4, type: ADDR_TYPE.ANY })).toBe("127.0.0.1:3300/5");
    expect(formatAddr(V6)).toBe("v2:[fe80::1:0:0:2]:6800/1");
    expect(formatAddr(BLANK_ADDR)).toBe("-");
  });

  test("a client instance is the same whatever type its address has", () => {
    expect(addrKey(V4)).toBe(addrKey({ ...V4, type: ADDR_TYPE.ANY }));
    for (const other of [
      { ...V4, nonce: 6 },
      { ...V4, port: 1 },
      { ...V4, ip: "127.0.0.2" },
    ]) {
      expect(addrKey(other)).not.toBe(addrKey(V4));
    }
  });
});

describe("address vectors", () => {
  const both = [V4, { ...V4, type: ADDR_TYPE.LEGACY, port: 6789 }];

  test("round trip, and a lone address stands for one", () => {
    for (const vec of [[], [V4], both]) {
      expect(decodeFromBytes(AddrVec, encodeToBytes(AddrVec, vec))).toEqual(vec);
    }
    expect(decodeFromBytes(AddrVec, V4_WIRE)).toEqual([V4]);
  });

  test("a count beyond the bytes is refused", () => {
    expect(() => decodeFromBytes(AddrVec, hex("02 ffffffff 01"))).toThrow(/elements claimed/);
  });

  test("print in brackets, a single one bare", () => {
    expect(formatAddrVec(both)).toBe("[v2:127.0.0.1:3300/5,v1:127.0.0.1:6789/5]");
    expect(formatAddrVec([V4])).toBe("v2:127.0.0.1:3300/5");
    expect(formatAddrVec([])).toBe("[]");
  });
});

test("an instance is a name and an address", () => {
  const inst = { name: { type: ENTITY_TYPE.CLIENT, num: 9n }, addr: V4 };
  expect(decodeFromBytes(EntityInst, encodeToBytes(EntityInst, inst))).toEqual(inst);
});
