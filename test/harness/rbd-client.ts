/** Our client of a cluster that is there, ours or a real one, over TCP: by its ceph.conf and keyring. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CephxClient, parseKeyring } from "../../src/auth/index.ts";
import { must, silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { tcpTransport } from "../../src/messenger/index.ts";
import { type IoCtx, Rados } from "../../src/rados/index.ts";
import type { RbdContext } from "../../src/rbd/index.ts";
import { ADDR_TYPE, ENTITY_TYPE } from "../../src/types/index.ts";

export interface RbdClient {
  readonly rados: Rados;
  readonly context: RbdContext;
  pool(name: string): Promise<IoCtx>;
  close(): Promise<void>;
}

export async function connectRbd(confPath: string): Promise<RbdClient> {
  const conf = readFileSync(confPath, "utf8");
  const [, ip, port] = must(/v2:([\d.]+):(\d+)/.exec(conf) ?? undefined, "a monitor in ceph.conf");
  const monitors = [[{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: must(ip, "ip"), port: Number(port) }]];
  const name = /^\s*keyring\s*=\s*(\S+)\s*$/m.exec(conf)?.[1];
  const paths = [name, join(dirname(confPath), "ceph.client.admin.keyring")];
  const path = paths.find((x) => x !== undefined && existsSync(x));
  const keyring = parseKeyring(readFileSync(must(path, "a keyring"), "utf8"));
  const entity = { type: ENTITY_TYPE.CLIENT, id: "admin" };
  const entries = Array.isArray(keyring) ? keyring : [];
  const entry = entries.find((x) => x.entity.id === entity.id);
  const { key } = must(entry, "the administrator's key").auth;
  const common = { clock: systemClock, random: systemRandom, log: silentLogger };
  const auth = new CephxClient({ entity, key, clock: common.clock, random: common.random });
  const rados = await Rados.connect({ monitors, auth, transport: tcpTransport, ...common });
  return {
    rados,
    context: { rados, ...common },
    pool: (poolName) => rados.openPool(poolName),
    close: () => rados.close(),
  };
}
