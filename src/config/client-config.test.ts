/** Who has the last word on an option, and what `$name` in it becomes. */
import { describe, expect, it } from "vitest";
import { type IniSection, parseIni } from "../base/index.ts";
import { ClientConfig, splitPaths } from "./client-config.ts";

const FACTS = {
  cluster: "ceph",
  type: "client",
  id: "x",
  host: "h",
  pid: 7,
  home: "/home/u",
};

function conf(text: string): IniSection[] {
  const sections = parseIni(text);
  if (!Array.isArray(sections)) throw new Error(sections.reason);
  return sections;
}

describe("a client's options", () => {
  it("are the defaults where nobody says anything", () => {
    const config = new ClientConfig(FACTS);
    expect(config.get("rbd_default_pool")).toBe("rbd");
    expect(config.getNumber("rbd_default_order")).toBe(22);
    expect(config.getBoolean("rbd_cache")).toBe(true);
    expect(config.sourceOf("rbd_cache")).toBeUndefined();
    expect(config.get("no_such_option")).toBe("");
  });

  it("follow the client's own section before its type's before [global], whatever their order", () => {
    const config = new ClientConfig(FACTS);
    config.loadFile(
      conf(
        "[client.x]\nrbd default order = 20\n[global]\nrbd_default_order = 24\nrbd_default_pool = g\n[client]\nrbd_default_order = 23\nrbd_default_data_pool = c\n[client.y]\nrbd_default_pool = other\n",
      ),
    );
    expect(config.get("rbd_default_order")).toBe("20");
    expect(config.get("rbd_default_data_pool")).toBe("c");
    expect(config.get("rbd_default_pool")).toBe("g");
  });

  it("follow whoever stands higher, whoever came first", () => {
    const config = new ClientConfig(FACTS);
    for (const source of ["override", "mon", "cmdline", "file", "env"] as const) {
      config.load(source, [["rbd-default-pool", source]]);
    }
    expect(config.get("rbd_default_pool")).toBe("override");
    config.load("override", []);
    expect(config.get("rbd_default_pool")).toBe("cmdline");
    expect(config.sourceOf("rbd_default_pool")).toBe("cmdline");
  });

  it("are below others for a while, and stay as they are themselves", () => {
    const config = new ClientConfig(FACTS);
    config.load("cmdline", [["rbd_default_order", "20"]]);
    config.load("override", [["rbd_default_pool", "p"]]);
    const other = config.with([["rbd_default_order", "21"]]);
    expect([other.get("rbd_default_order"), other.get("rbd_default_pool")]).toEqual(["21", "p"]);
    expect(config.get("rbd_default_order")).toBe("20");
  });

  it("stay as they were where a value is none, and say so", () => {
    const config = new ClientConfig(FACTS);
    expect(config.load("file", [["rbd_default_order", "many"]])).toEqual([
      expect.stringContaining('parse error setting "rbd_default_order" to "many"'),
    ]);
    expect(config.get("rbd_default_order")).toBe("22");
    expect(config.load("file", [["option_of_the_future", "1"]])).toEqual([]);
  });

  it("have names filled in, those of options too", () => {
    const config = new ClientConfig(FACTS);
    config.load("file", [
      ["keyring", "/k/$cluster.$name.${type}.$id.$pid$host,$nothing,${rbd_default_pool}"],
      ["log_file", "$log_file/x"],
    ]);
    expect(config.get("keyring")).toBe("/k/ceph.client.x.client.x.7h,$nothing,rbd");
    expect(config.get("log_file")).toBe("$log_file/x");
    expect(config.expand("$home/.ceph/$cluster.conf")).toBe("/home/u/.ceph/ceph.conf");
  });

  it("name paths in lists", () => {
    expect(splitPaths("/a, /b;/c,,")).toEqual(["/a", "/b", "/c"]);
  });
});
