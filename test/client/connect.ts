/** A client of the library on the cluster that a ceph.conf names, as these tests use it. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CephxClient, parseKeyring } from "../../src/auth/index.ts";
import { must, silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { type Transport, tcpTransport } from "../../src/messenger/index.ts";
import { Rados, type RadosOptions } from "../../src/rados/index.ts";
import { ADDR_TYPE, ENTITY_TYPE } from "../../src/types/index.ts";

const ADMIN = "admin";

/** Where the monitors are, and the administrator's key. */
export interface ClusterAccess {
  readonly monitors: RadosOptions["monitors"];
  readonly keyring: string;
}

/** What of a ceph.conf of the harness is needed: `mon host` and `keyring`. */
export async function readAccess(confPath: string): Promise<ClusterAccess> {
  const conf = await readFile(confPath, "utf8");
  const value = (name: string) =>
    new RegExp(`^\\s*${name.replaceAll(" ", "[ _]")}\\s*=\\s*(.*)$`, "m").exec(conf)?.[1]?.trim();
  const hosts = must(value("mon host"), "mon host");
  const found = [...hosts.matchAll(/v2:(?<ip>[\d.]+):(?<port>\d+)/g)];
  const monitors = found.map(({ groups }) => {
    const { ip, port } = must(groups, "address") as { ip: string; port: string };
    return [{ type: ADDR_TYPE.MSGR2, nonce: 0, ip, port: Number(port) }];
  });
  const path = value("keyring") ?? join(dirname(confPath), "ceph.client.admin.keyring");
  return {
    monitors,
    keyring: await readFile(
      path.replaceAll("$cluster", "ceph").replaceAll("$name", `client.${ADMIN}`),
      "utf8",
    ),
  };
}

export async function connect(
  access: ClusterAccess,
  options: Partial<RadosOptions> & { transport?: Transport } = {},
): Promise<Rados> {
  const [clock, random] = [systemClock, systemRandom];
  const entries = parseKeyring(access.keyring);
  if (!Array.isArray(entries)) throw new Error("no keyring");
  const admin = entries.find(
    ({ entity }) => entity.type === ENTITY_TYPE.CLIENT && entity.id === ADMIN,
  );
  const { entity, auth } = must(admin, "client.admin in the keyring");
  return await Rados.connect({
    monitors: access.monitors,
    auth: new CephxClient({ entity, key: auth.key, clock, random }),
    transport: tcpTransport,
    clock,
    random,
    log: silentLogger,
    mountTimeoutMs: 30_000,
    ...options,
  });
}
