/** Caps: the grammar against a real monitor's verdicts, and what each grant lets through. */
import { describe, expect, it } from "vitest";
import { isValidCap } from "../caps.ts";
import { type MgrCapQuery, parseMgrCap } from "./mgr-cap.ts";
import { type MonCapQuery, parseMonCap } from "./mon-cap.ts";
import { parseNetwork } from "./network.ts";
import { type ClassCall, type OsdCapQuery, parseOsdCap } from "./osd-cap.ts";
import { RECORDED_CAPS } from "./recorded-caps.ts";

describe("cap texts", () => {
  it.each(Object.entries(RECORDED_CAPS))(
    "of %s are taken and refused as upstream does",
    (service, { valid, invalid }) => {
      for (const text of valid) expect(isValidCap(service, text), text).toBe(true);
      for (const text of invalid) expect(isValidCap(service, text), text).toBe(false);
    },
  );

  it("of unknown services and of absurd length are refused", () => {
    expect(isValidCap("rgw", "allow *")).toBe(false);
    expect(isValidCap("constructor", "allow *")).toBe(false);
    expect(isValidCap("osd", `allow r pool=${"x".repeat(40_000)}`)).toBe(false);
  });
});

const call = (name: string, method: string, mode: string, allowlisted = true): ClassCall => ({
  name,
  method,
  read: mode.includes("r"),
  write: mode.includes("w"),
  allowlisted,
});

function osd(text: string, query: Partial<OsdCapQuery>): boolean {
  const cap = parseOsdCap(text);
  if (cap === undefined) throw new Error(`not a cap: ${text}`);
  return cap.isCapable({
    poolName: "rbd",
    nspace: "",
    appMetadata: new Map(),
    object: "foo",
    read: false,
    write: false,
    classCalls: [],
    addr: "127.0.0.1",
    ...query,
  });
}

describe("OSD caps", () => {
  it("allow only the bits they name", () => {
    expect(osd("allow r", { read: true })).toBe(true);
    expect(osd("allow r", { write: true })).toBe(false);
    expect(osd("allow r", { read: true, write: true })).toBe(false);
    expect(osd("allow rw", { classCalls: [call("rbd", "x", "r")] })).toBe(false);
    expect(osd("allow class-read", { classCalls: [call("rbd", "x", "r")] })).toBe(true);
    expect(osd("allow class-read", { classCalls: [call("rbd", "x", "rw")] })).toBe(false);
    expect(osd("allow x", { classCalls: [call("rbd", "x", "rw")] })).toBe(true);
    expect(osd("allow x", { read: true })).toBe(false);
  });

  it("keep unlisted classes for * and for grants that name them", () => {
    const classCalls = [call("odd", "m", "r", false)];
    expect(osd("allow rwx", { classCalls })).toBe(false);
    expect(osd("allow *", { classCalls })).toBe(true);
    expect(osd("allow class odd", { classCalls })).toBe(true);
    expect(osd("allow class odd m", { classCalls })).toBe(true);
    expect(osd("allow class odd n", { classCalls })).toBe(false);
  });

  it("add class calls of several grants up, but not reads and writes", () => {
    const classCalls = [call("a", "m", "r", false), call("b", "m", "r", false)];
    expect(osd("allow class a, allow class b", { classCalls })).toBe(true);
    expect(osd("allow class a, allow class c", { classCalls })).toBe(false);
    expect(osd("allow r, allow w", { read: true, write: true })).toBe(false);
  });

  it("hold to pool, namespace and object prefix", () => {
    expect(osd("allow r pool=rbd", { read: true })).toBe(true);
    expect(osd("allow r pool=other", { read: true })).toBe(false);
    expect(osd("allow r namespace=a", { read: true, nspace: "a" })).toBe(true);
    expect(osd("allow r namespace=a", { read: true, nspace: "ab" })).toBe(false);
    expect(osd("allow r namespace=a*", { read: true, nspace: "ab" })).toBe(true);
    expect(osd('allow r namespace=""', { read: true, nspace: "a" })).toBe(false);
    expect(osd('allow r namespace=""', { read: true })).toBe(true);
    expect(osd("allow r object_prefix fo", { read: true })).toBe(true);
    expect(osd("allow r object_prefix bar", { read: true })).toBe(false);
  });

  it("hold to tags of the pool", () => {
    const appMetadata = new Map([["app", new Map([["k", "v"]])]]);
    const query = { read: true, appMetadata };
    for (const tag of ["k=v", "k=*", "*=v", "*=*"]) {
      expect(osd(`allow r tag app ${tag}`, query), tag).toBe(true);
    }
    for (const tag of ["k=w", "j=*", "*=w"]) {
      expect(osd(`allow r tag app ${tag}`, query), tag).toBe(false);
    }
    expect(osd("allow r tag other *=*", query)).toBe(false);
    expect(osd("allow r namespace=n tag app k=v", query)).toBe(false);
  });

  it("hold to networks", () => {
    expect(osd("allow r network 127.0.0.0/8", { read: true })).toBe(true);
    expect(osd("allow r network 10.0.0.0/8", { read: true })).toBe(false);
    expect(osd("profile rbd network 10.0.0.0/8", { read: true })).toBe(false);
    expect(osd("allow r network 10.0.0.0", { read: true, addr: "10.0.0.0" })).toBe(false);
  });

  it("expand the rbd profiles", () => {
    const rbdCall = (m: string, mode: string) => [call("rbd", m, mode)];
    const text = "profile rbd pool=p namespace=n";
    const here = { poolName: "p", nspace: "n" };
    expect(osd(text, { ...here, read: true, write: true, classCalls: rbdCall("x", "rw") })).toBe(
      true,
    );
    expect(osd(text, { poolName: "q", nspace: "n", read: true })).toBe(false);
    expect(osd(text, { poolName: "p", nspace: "m", write: true })).toBe(false);
    expect(osd(text, { poolName: "q", object: "rbd_info", read: true })).toBe(true);
    expect(osd(text, { poolName: "q", object: "rbd_info", write: true })).toBe(false);
    expect(
      osd(text, { poolName: "q", object: "rbd_children", classCalls: rbdCall("x", "r") }),
    ).toBe(true);
    const list = { object: "rbd_info", classCalls: rbdCall("metadata_list", "r") };
    for (const profile of ["rbd", "rbd-read-only"]) {
      const limited = `profile ${profile} pool=p namespace=n`;
      expect(osd(limited, { ...list, poolName: "p" }), profile).toBe(true);
      expect(osd(limited, { ...list, poolName: "p", nspace: "m" }), profile).toBe(false);
      expect(osd(limited, { ...list, poolName: "p", object: "rbd_header.1" }), profile).toBe(false);
      expect(osd(limited, { ...list, poolName: "q" }), profile).toBe(false);
    }
    const readOnly = "profile rbd-read-only";
    expect(osd(readOnly, { read: true, classCalls: rbdCall("x", "r") })).toBe(true);
    expect(osd(readOnly, { write: true })).toBe(false);
    expect(osd(readOnly, { classCalls: rbdCall("set_size", "rw") })).toBe(false);
    const attach = rbdCall("child_attach", "rw");
    expect(osd(readOnly, { object: "rbd_header.1", classCalls: attach })).toBe(true);
    expect(osd(readOnly, { object: "rbd_data.1", classCalls: attach })).toBe(false);
  });

  it.each([
    ["allow *", "p", true],
    ["allow * pool=q", "p", false],
    ["allow r pool=p", "p", false],
    ["allow rw", "p", true],
    ["allow rw", undefined, true],
    ["allow rw pool=p", "p", true],
    ["allow rw pool=p", undefined, false],
    ["allow rw pool=p namespace=n object_prefix x", "p", true],
    ["allow rw namespace=n", "p", false],
    ["allow rw object_prefix x", "p", false],
    ["allow rw tag rbd *=*", "p", false],
    ["allow rw network 10.0.0.0/8", "p", true],
    ["allow class-write", "p", false],
    ["profile rbd pool=p namespace=n", "p", true],
    ["profile rbd pool=q", "p", false],
    ["profile rbd-read-only pool=p", "p", false],
  ])("%s lets one have snapshot ids of pool %s: %s", (text, pool, allowed) => {
    expect(parseOsdCap(text)?.maySnap(pool)).toBe(allowed);
  });

  it("tell an unlimited * from a limited one", () => {
    expect(parseOsdCap("allow *")?.allowsAll).toBe(true);
    expect(parseOsdCap("allow * pool=a")?.allowsAll).toBe(false);
    expect(parseOsdCap("allow rwx")?.allowsAll).toBe(false);
  });
});

function mon(text: string, query: Partial<MonCapQuery>): boolean {
  const cap = parseMonCap(text);
  if (cap === undefined) throw new Error(`not a cap: ${text}`);
  const none = { read: false, write: false, exec: false };
  return cap.isCapable({
    service: "mon",
    command: "",
    args: {},
    addr: "127.0.0.1",
    ...none,
    ...query,
  });
}

describe("monitor caps", () => {
  it("add their bits up over grants", () => {
    expect(mon("allow r, allow w", { read: true, write: true })).toBe(true);
    expect(mon("allow r, allow w", { exec: true })).toBe(false);
    expect(mon("allow service osd rw", { service: "osd", write: true })).toBe(true);
    expect(mon("allow service osd rw", { service: "mon", read: true })).toBe(false);
  });

  it("keep config-key to *, its service and its commands", () => {
    const get = {
      service: "config-key",
      command: "config-key get",
      args: { key: "k" },
      read: true,
    };
    expect(mon("allow rwx", get)).toBe(false);
    expect(mon("allow *", get)).toBe(true);
    expect(mon("allow service config-key r", get)).toBe(true);
    expect(mon('allow command "config-key get" with key=k', get)).toBe(true);
  });

  it("hold commands to their arguments", () => {
    const text = 'allow command c with a=x b prefix y d regex "[0-9]+"';
    const good = { a: "x", b: "yy", d: "12" };
    expect(mon(text, { command: "c", args: good, write: true })).toBe(true);
    for (const args of [
      { ...good, a: "z" },
      { ...good, b: "z" },
      { ...good, d: "1x" },
      { a: "x", b: "y" },
    ]) {
      expect(mon(text, { command: "c", args, read: true }), JSON.stringify(args)).toBe(false);
    }
    expect(mon(text, { command: "other", args: good, read: true })).toBe(false);
    expect(mon("allow command c with toString=x", { command: "c", read: true })).toBe(false);
    expect(
      mon('allow command c with a regex "("', { command: "c", args: { a: "(" }, read: true }),
    ).toBe(false);
  });

  it("let profile rbd read maps and blocklist one client, nothing more", () => {
    const add = { blocklistop: "add", addr: "10.0.0.1:0/123" };
    const blocklist = { service: "osd", command: "osd blocklist", read: true, write: true };
    expect(mon("profile rbd", { service: "osd", read: true })).toBe(true);
    expect(mon("profile rbd", { ...blocklist, args: add })).toBe(true);
    expect(mon("profile rbd", { ...blocklist, args: { ...add, addr: "10.0.0.1" } })).toBe(false);
    expect(mon("profile rbd", { ...blocklist, args: { ...add, blocklistop: "rm" } })).toBe(false);
    expect(mon("profile rbd", { service: "osd", write: true })).toBe(false);
    expect(mon("profile rbd", { service: "auth", read: true })).toBe(false);
    expect(mon("profile simple-rados-client", { service: "osd", read: true })).toBe(true);
    expect(mon("profile simple-rados-client", { ...blocklist, args: add })).toBe(false);
    expect(mon("profile nosuch", { read: true })).toBe(false);
  });

  it("hold no one up with an expression that has very many ways to match", () => {
    const create = { service: "auth", command: "auth get-or-create", write: true };
    const ask = (caps_osd: string) =>
      mon("profile bootstrap-rbd", {
        ...create,
        args: { entity: "client.x", caps_mon: "profile rbd", caps_osd },
      });
    const good = "profile rbd pool a ".repeat(50);
    expect(ask(good)).toBe(true);
    const start = performance.now();
    expect(ask(`${good}'x`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("let a daemon at its own config keys only", () => {
    const get = { service: "config-key", command: "config-key get", read: true };
    const args = { key: "daemon-private/osd.1/x" };
    expect(mon("profile osd", { ...get, args, entity: "osd.1" })).toBe(true);
    expect(mon("profile osd", { ...get, args, entity: "osd.2" })).toBe(false);
  });

  it("hold to networks, also for *", () => {
    expect(mon("allow * network 10.0.0.0/8", { read: true })).toBe(false);
    expect(mon("allow * network 10.0.0.0/8", { read: true, addr: "10.1.2.3" })).toBe(true);
  });
});

describe("manager caps", () => {
  const mgr = (text: string, query: Partial<MgrCapQuery>) => {
    const none = { read: false, write: false, exec: false };
    const base = { service: "mgr", module: "", command: "", args: {}, addr: "127.0.0.1" };
    return parseMgrCap(text)?.isCapable({ ...base, ...none, ...query });
  };

  it("hold profile rbd to its module, and to its pool once objects are known", () => {
    const text = "profile rbd pool=p";
    const module = "rbd_support";
    expect(mgr(text, { module, command: "rbd task list", write: true })).toBe(true);
    expect(mgr(text, { module, args: { pool: "p" }, write: true })).toBe(true);
    expect(mgr(text, { module, args: { pool: "q" }, write: true })).toBe(false);
    expect(mgr(text, { module: "status", command: "x", read: true })).toBe(false);
    expect(mgr("profile rbd-read-only", { module, command: "x", write: true })).toBe(false);
  });

  it("allow by bits, service and command", () => {
    expect(mgr("allow r", { read: true })).toBe(true);
    expect(mgr("allow r", { write: true })).toBe(false);
    expect(mgr("allow *", { exec: true })).toBe(true);
    expect(mgr('allow command "pg dump"', { command: "pg dump", read: true })).toBe(true);
    expect(mgr('allow command "pg dump"', { command: "pg stat", read: true })).toBe(false);
    expect(mgr("allow service x r", { service: "mgr", read: true })).toBe(false);
    expect(mgr("profile osd", { read: true })).toBe(false);
  });
});

describe("networks", () => {
  it("contain what shares their first bits", () => {
    expect(parseNetwork("10.1.0.0/15").contains("10.0.255.255")).toBe(true);
    expect(parseNetwork("10.1.0.0/16").contains("10.0.255.255")).toBe(false);
    expect(parseNetwork("0.0.0.0/0").contains("1.2.3.4")).toBe(true);
    expect(parseNetwork("1.2.3.4/32").contains("1.2.3.5")).toBe(false);
    expect(parseNetwork("fd00::/8").contains("fdff::1")).toBe(true);
    expect(parseNetwork("fd00::/16").contains("fd01::1")).toBe(false);
    expect(parseNetwork("::ffff:1.2.3.0/120").contains("::ffff:102:4ff")).toBe(false);
    expect(parseNetwork("::ffff:1.2.3.0/120").contains("::ffff:102:304")).toBe(true);
  });

  it("contain nothing of the other family, and nothing when they are junk", () => {
    expect(parseNetwork("0.0.0.0/0").contains("::1")).toBe(false);
    for (const junk of ["", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8"]) {
      expect(parseNetwork(junk).contains("10.0.0.0"), junk).toBe(false);
    }
  });
});
