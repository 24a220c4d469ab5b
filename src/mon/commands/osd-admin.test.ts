import { describe, expect, test } from "vitest";
import { encodeToBytes } from "../../encoding/index.ts";
import { ADDR_TYPE, EntityAddr } from "../../types/index.ts";
import { parseAddr } from "./osd-admin.ts";

describe("the address of a lock-out", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3", 0, 0],
    ["10.1.2.3:0/77", "10.1.2.3", 0, 77],
    ["v2:10.1.2.3:6800/4294967295", "10.1.2.3", 6800, 0xffff_ffff],
    ["[::1]:0/5", "::1", 0, 5],
    ["any:[fe80::1:2]:65535/0", "fe80::1:2", 65535, 0],
  ])("%s is read, and can be written to a map", (text, ip, port, nonce) => {
    const addr = parseAddr(text);
    expect(addr).toEqual({ type: ADDR_TYPE.ANY, ip, port, nonce });
    expect(() => addr && encodeToBytes(EntityAddr, addr)).not.toThrow();
  });

  test.each([
    "",
    "host",
    "10.1.2",
    "10.1.2.256",
    "10.1.2.3:65536",
    "10.1.2.3/4294967296",
    "[1:2:3]",
    "[1:2:3:4:5:6:7:8:9]:0/0",
    "[::1::]",
    "[.]",
  ])("%s is refused and never reaches a map", (text) => {
    expect(parseAddr(text)).toBeUndefined();
  });
});
