import { describe, expect, test } from "vitest";
import { PyFloat } from "../../base/index.ts";
import { type ArgumentValue, argumentType, type TypeDetails } from "./argument-types.ts";

function valueOf(type: string, word: string, details: TypeDetails = {}): ArgumentValue | string {
  try {
    return argumentType(type, details)?.value(word, false) ?? "no such type";
  } catch (error) {
    return `! ${(error as Error).message}`;
  }
}

// What 16.2.15 makes of each word.
describe("arguments", () => {
  test.each<[string, string, ArgumentValue, TypeDetails?]>([
    ["CephInt", "0x1F", 31n],
    ["CephInt", " 1_000 ", 1000n],
    ["CephInt", "99999999999999999999", 99999999999999999999n],
    ["CephInt", "010", "! 010 doesn't represent an int"],
    ["CephInt", "", "!  doesn't represent an int"],
    ["CephInt", "9", "! 9 not in range [0, 8]", { range: "0|8" }],
    ["CephInt", "-1", "! -1 not in range [0]", { range: "0" }],
    ["CephFloat", "5.", new PyFloat(5)],
    ["CephFloat", "-.5e1", new PyFloat(-5)],
    ["CephFloat", ".", "! . doesn't represent a float"],
    ["CephFloat", "1.5", "! 1.5 not in range [0.0, 1.0]", { range: "0.0|1.0" }],
    ["CephString", "a\tb", "a\tb"],
    ["CephString", "gr\u00fcn", "! invalid chars \u00fc in gr\u00fcn"],
    ["CephString", "a b", "! invalid chars   in a b", { goodchars: "[A-Za-z0-9-_.]" }],
    ["CephPoolname", "gr\u00fcn", "gr\u00fcn"],
    ["CephBool", "TRUE", true],
    ["CephBool", "0", false],
    ["CephBool", "yes", "! yes not one of 'true', 'false'"],
    ["CephChoices", "b", "b", { strings: "a|b" }],
    ["CephChoices", "c", "! c not in a|b", { strings: "a|b" }],
    ["CephPgid", "1.1f", "1.1f"],
    ["CephPgid", "1", "! pgid has no ."],
    ["CephPgid", "x.1", "! pool x not integer"],
    ["CephPgid", "-1.1", "! pool -1 < 0"],
    ["CephPgid", "1.g", "! pgnum g not hex integer"],
    ["CephName", "client.a.b", "client.a.b"],
    ["CephName", "osd.x", "! osd id x not integer"],
    ["CephName", "foo.1", "! unknown type foo"],
    ["CephName", "foo", "! CephName: no . in foo"],
    ["CephOsdName", "osd.7", 7n],
    ["CephOsdName", "*", "*"],
    ["CephOsdName", "-7", "! osd id -7 is less than 0"],
    ["CephIPAddr", "1.2.3.4:99999", "! 99999: invalid IPv4 port"],
    ["CephIPAddr", "1.2.3", "! 1.2.3: invalid IPv4 address"],
    ["CephIPAddr", "[::1]:6789", "[::1]:6789"],
    ["CephIPAddr", "[::1", "! [::1 missing terminating ]"],
    ["CephIPAddr", "::zz", "! ::zz not valid IPv6 address"],
    ["CephEntityAddr", "[::1/5]:0", "! [::1 missing terminating ]"],
    ["CephEntityAddr", "v1:1.2.3.4:5/6", "v1:1.2.3.4:5/6"],
    ["CephUUID", "3f4b3c63-0f5d-4b8e-9d0a-1d2f6a0f7e11", "3f4b3c63-0f5d-4b8e-9d0a-1d2f6a0f7e11"],
    ["CephUUID", "3f", "! invalid UUID 3f: badly formed hexadecimal UUID string"],
    ["CephFragment", "0x1/2", "! can't convert 0x1 to integer"],
    ["CephFragment", "1", "! 1: no /"],
    ["CephFilepath", "/proc/self/nowhere/x", "! cannot create file in /proc/self/nowhere"],
    ["CephSocketpath", "/etc/hostname", "! socket path /etc/hostname is not a socket"],
  ])("%s %s", (type, word, wanted, details) => {
    expect(valueOf(type, word, details)).toEqual(wanted);
  });
});
