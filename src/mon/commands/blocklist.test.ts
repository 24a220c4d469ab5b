import { describe, expect, test } from "vitest";
import { encodeToBytes } from "../../encoding/index.ts";
import { isBlocklisted } from "../../maps/index.ts";
import { ADDR_TYPE, EntityAddr } from "../../types/index.ts";
import { Monitor } from "../monitor.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, optionsFor, settle } from "../testing/bench.ts";
import { parseAddr } from "./blocklist.ts";

describe("the address of a lock-out", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3", 0, 0],
    ["10.1.2.3:0/77", "10.1.2.3", 0, 77],
    ["v2:10.1.2.3:6800/4294967295", "10.1.2.3", 6800, 0xffff_ffff],
    ["[::1]:0/5", "::1", 0, 5],
    ["any:[fe80::1:2]:65535/0", "fe80::1:2", 65535, 0],
    ["10.1.0.0/16", "10.1.0.0", 0, 16],
    ["fe80::/64", "fe80::", 0, 64],
    ["v1:::1", "::1", 0, 0],
  ])("%s is read, and can be written to a map", (text, ip, port, nonce) => {
    const addr = parseAddr(text)?.addr;
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
    "bad:",
    " 10.1.2.3",
  ])("%s is refused and never reaches a map", (text) => {
    expect(parseAddr(text)).toBeUndefined();
  });
});

async function bench() {
  const { monitor, clock, store } = await createBench();
  const ask = askerOf(monitor);
  const from = (ip: string) =>
    isBlocklisted(monitor.osdMap, { type: ADDR_TYPE.MSGR2, ip, port: 0, nonce: 7 });
  const op = (blocklistop: string, addr: string, more: object = {}) =>
    ask("osd blocklist", { blocklistop, addr, ...more });
  const range = (blocklistop: string, addr: string, more: object = {}) =>
    op(blocklistop, addr, { range: "range", ...more });
  return { monitor, clock, store, ask, from, op, range };
}

describe("ranges of addresses", () => {
  test("lock out who is inside, and nobody else, until they are taken back", async () => {
    const { from, range } = await bench();
    expect(await range("add", "10.4.0.1/16")).toEqual({
      r: 0,
      status: "blocklisting cidr:10.4.0.1:0/16 until 2023-11-14T23:13:20.000000+0000 (3600 sec)",
      data: "",
    });
    await range("add", "fe80::/64");
    expect(["10.4.200.9", "10.5.0.1", "fe80::9", "fe81::9"].map(from)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect((await range("rm", "10.4.0.1/16")).status).toBe("un-blocklisting cidr:10.4.0.1:0/16");
    expect(from("10.4.200.9")).toBe(false);
    // A range is known by its own name only.
    expect((await range("rm", "fe80::1/64")).status).toBe("cidr:[fe80::1]:0/64 isn't blocklisted");
    expect(from("fe80::9")).toBe(true);
  });

  test("are over when their time is, and last over a restart", async () => {
    const { clock, store, ask, range } = await bench();
    await range("add", "10.4.0.0/16", { expire: 60 });
    await range("add", "10.5.0.0/16", { expire: 600 });
    clock.advance(61_000);
    await settle();
    expect((await ask("osd blocklist ls")).data).toBe(
      "cidr:10.5.0.0:0/16 2023-11-14T22:23:20.000000+0000\n",
    );
    const again = await Monitor.open(optionsFor(store, clock));
    expect((await askerOf(again)("osd blocklist ls")).status).toBe("listed 1 entries");
  });

  test.each([
    [
      "10.2.0.0",
      "You specified a range command, but v2:10.2.0.0:0/0 does not parse as a CIDR range",
    ],
    [
      "v1:10.2.0.0:5/16",
      "You specified a range command, but v1:10.2.0.0:5/16 does not parse as a CIDR range",
    ],
    ["10.2.0.0/33", "Too many bits in range for that protocol!"],
    ["[::1]/129", "Too many bits in range for that protocol!"],
    ["nonsense", "unable to parse address nonsense"],
  ])("%s is none", async (addr, status) => {
    const { range } = await bench();
    for (const op of ["add", "rm"]) expect(await range(op, addr)).toMatchObject({ r: -22, status });
  });

  test("are meant by the word and by no piece of it", async () => {
    const { op } = await bench();
    expect(await op("add", "10.2.0.0/16", { range: "rang" })).toMatchObject({
      r: -22,
      status: 'Did you mean to specify "osd blocklist range"?',
    });
  });
});

describe("the list of who is locked out", () => {
  test("has clients and ranges, one list behind the other", async () => {
    const { ask, op, range } = await bench();
    await op("add", "10.3.0.1:0/24");
    await range("add", "10.1.0.0/16");
    const until = "2023-11-14T23:13:20.000000+0000";
    expect((await ask("osd blocklist ls")).data).toBe(
      `10.3.0.1:0/24 ${until}\ncidr:10.1.0.0:0/16 ${until}\n`,
    );
    expect(await ask("osd blocklist ls", { format: "json" })).toMatchObject({
      status: "listed 2 entries",
      data: `[{"addr":"10.3.0.1:0/24","until":"${until}"}][{"range":"10.1.0.0:0/16","until":"${until}"}]`,
    });
    expect((await ask("osd blocklist ls", { format: "xml" })).data).toBe(
      `<blocklist><entry><addr>10.3.0.1:0/24</addr><until>${until}</until></entry></blocklist>` +
        `<range_blocklist><entry><range>10.1.0.0:0/16</range><until>${until}</until></entry></range_blocklist>`,
    );
    expect((await ask("osd blocklist clear")).status).toBe(" removed all blocklist entries");
    expect((await ask("osd blocklist ls", { format: "json" })).data).toBe("[][]");
  });

  test("has nothing that lasts longer than a time can say", async () => {
    const { op } = await bench();
    expect((await op("add", "10.3.0.9:0/3", { expire: 31_536_000_000 })).status).toBe(
      "blocklisting 10.3.0.9:0/3 until 2106-02-07T06:28:15.000000+0000 (3.1536e+10 sec)",
    );
  });
});
