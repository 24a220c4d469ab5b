/** mon_host in all the ways people write it. */
import { describe, expect, it } from "vitest";
import type { Resolver } from "../messenger/index.ts";
import { findMonitors, parseMonHosts } from "./mon-hosts.ts";

const at = (text: string) => parseMonHosts(text).map(({ host, port }) => `${host} ${port}`);

describe("mon_host", () => {
  it.each([
    ["10.0.0.1", ["10.0.0.1 3300"]],
    ["10.0.0.1:3301", ["10.0.0.1 3301"]],
    ["10.0.0.1:6789", ["10.0.0.1 3300"]],
    ["v2:10.0.0.1:3300/0", ["10.0.0.1 3300"]],
    ["v2:10.0.0.1", ["10.0.0.1 3300"]],
    ["[v2:10.0.0.1:40000/0,v1:10.0.0.1:6789/0]", ["10.0.0.1 40000"]],
    ["[v2:1.1.1.1:1,v1:1.1.1.1:2] [v2:2.2.2.2:3,v1:2.2.2.2:4]", ["1.1.1.1 1", "2.2.2.2 3"]],
    ["1.1.1.1,2.2.2.2; 3.3.3.3 1.1.1.1", ["1.1.1.1 3300", "2.2.2.2 3300", "3.3.3.3 3300"]],
    ["mon.example.com, b:1234", ["mon.example.com 3300", "b 1234"]],
    ["::1", ["::1 3300"]],
    ["[::1]", ["::1 3300"]],
    ["[fe80::1]:3302", ["fe80::1 3302"]],
    ["[v2:[fe80::1]:3302/0,v1:[fe80::1]:6789/0]", ["fe80::1 3302"]],
    ["v1:10.0.0.1:6789", []],
    ["", []],
  ])("%j", (text, expected) => {
    expect(at(text)).toEqual(expected);
  });

  it.each(["10.0.0.1:99999", "a:b", "[v2:x:y]", "10.0.0.1:1:2"])("refuses %j", (text) => {
    expect(() => at(text)).toThrow(`unable to parse addrs in '${text}'`);
  });
});

const NOBODY: Resolver = {
  addresses: () => Promise.reject(new Error("not found")),
  service: () => Promise.reject(new Error("not found")),
};

describe("monitors", () => {
  const ask = (options: Record<string, string>, resolver: Partial<Resolver> = {}) =>
    findMonitors((name) => options[name] ?? "", { ...NOBODY, ...resolver });

  it("are found by name, each address of it", async () => {
    const addresses = () => Promise.resolve(["10.0.0.7", "10.0.0.8"]);
    const found = await ask({ mon_host: "mon:1" }, { addresses });
    expect(found.map(([addr]) => addr?.ip)).toEqual(["10.0.0.7", "10.0.0.8"]);
    await expect(ask({ mon_host: "mon" })).rejects.toThrow("monitor mon: no such host");
  });

  it("are the service's hosts where no option names any, in order of their priority", async () => {
    const asked: string[] = [];
    const service = (name: string) => {
      asked.push(name);
      return Promise.resolve([
        { host: "10.0.0.2", port: 6789, priority: 20 },
        { host: "10.0.0.1", port: 3301, priority: 10 },
      ]);
    };
    const found = await ask({ mon_dns_srv_name: "ceph-mon_example.com" }, { service });
    expect(asked).toEqual(["_ceph-mon._tcp.example.com"]);
    expect(found.map(([addr]) => `${addr?.ip}:${addr?.port}`)).toEqual([
      "10.0.0.1:3301",
      "10.0.0.2:3300",
    ]);
  });

  it("have to be somewhere", async () => {
    await expect(ask({})).rejects.toThrow("no monitors specified: set mon_host");
    await expect(ask({ mon_host: "v1:1.2.3.4:6789" })).rejects.toThrow("messenger v2");
  });
});
