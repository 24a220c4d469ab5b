/** Every port of a whole cluster, in memory, asked for each connection mode. */

import { afterEach, describe, expect, test } from "vitest";
import { type AuthInitiator, CephxClient, CON_MODE, parseKeyring } from "../auth/index.ts";
import { ConfigError, seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { MemoryNetwork, Messenger } from "../messenger/index.ts";
import { Rados } from "../rados/index.ts";
import { MemoryDisk } from "../store/index.ts";
import { ADDR_TYPE, type AddrVec, ENTITY_TYPE } from "../types/index.ts";
import { type AuthChoice, authModes } from "./auth-modes.ts";
import { type Cluster, type ClusterOptions, startClusterIn } from "./start-cluster.ts";

const HOST = "10.0.0.1";
const OSDS = 2;
const BOTH = [CON_MODE.CRC, CON_MODE.SECURE];
const MONITOR: AddrVec = [{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: HOST, port: 3300 }];
const clock = systemClock;
const random = seededRandom(1);
const common = { clock, random, log: silentLogger };

test.each<[AuthChoice["auth"], boolean, { methods: number[]; modes: number[] }]>([
  ["cephx", false, { methods: [2], modes: [2, 1] }],
  ["cephx", true, { methods: [2], modes: [2] }],
  ["none", false, { methods: [1], modes: [2, 1] }],
])("%s with secure required %s", (auth, requireSecure, expected) => {
  expect(authModes({ auth, requireSecure })).toEqual(expected);
});

let stop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of stop.splice(0).reverse()) await step();
  stop = [];
});

/** A cluster in memory. @returns it, its network and the files it wrote for clients */
async function start(options: Partial<ClusterOptions>) {
  const network = new MemoryNetwork(clock);
  const disks = new Map<string, MemoryDisk>();
  const files = new Map<string, string>();
  let touched = 0;
  const directory = {
    path: "/data",
    identity: async () => undefined,
    writeIdentity: async () => {},
    clearUnfinished: async () => {},
    replaceFile: async (name: string, text: string) => void files.set(name, text),
    deviceClass: () => "ssd" as const,
  };
  const starting = startClusterIn(
    { data: "/data", listen: HOST, port: 3300, osds: OSDS, ...options },
    {
      ...common,
      transport: network.transport(HOST),
      host: "here",
      machine: {},
      threads: false,
      sizes: { mon: { capacityBytes: 2 ** 28 }, osd: { capacityBytes: 2 ** 28 } },
      disk: (path) => {
        const disk = disks.get(path) ?? new MemoryDisk(1);
        disks.set(path, disk);
        return disk;
      },
      directory: async () => {
        touched++;
        return directory;
      },
    },
  );
  const cluster: Cluster | Error = await starting.catch((error: Error) => error);
  if (!(cluster instanceof Error)) stop.push(() => cluster.close());
  return { cluster, network, files, touched };
}

/** A client of the cluster, and where each of its daemons listens. */
async function clientOf({ network, files }: Awaited<ReturnType<typeof start>>) {
  const keyring = parseKeyring(files.get("ceph.client.admin.keyring") ?? "");
  if (!Array.isArray(keyring)) throw new Error("no keyring");
  const { entity, auth } = keyring[0]!;
  const cephx = new CephxClient({ entity, key: auth.key, clock, random });
  const transport = network.transport("10.0.0.2");
  const rados = await Rados.connect({ ...common, monitors: [MONITOR], auth: cephx, transport });
  const { data } = await rados.command({ prefix: "mgr dump", format: "json" });
  const { active_addr: mgrText } = JSON.parse(Buffer.from(data).toString()) as {
    active_addr: string;
  };
  const [, mgrPort, mgrNonce] = /:(\d+)\/(\d+)$/.exec(mgrText)!;
  const ports: [name: string, addrs: AddrVec, type: number][] = [
    ["mon.a", MONITOR, ENTITY_TYPE.MON],
    [
      "mgr.x",
      [{ type: ADDR_TYPE.MSGR2, ip: HOST, port: Number(mgrPort), nonce: Number(mgrNonce) }],
      ENTITY_TYPE.MGR,
    ],
    ...rados.map.clientAddrs.map((addrs, id): [string, AddrVec, number] => [
      `osd.${id}`,
      addrs,
      ENTITY_TYPE.OSD,
    ]),
  ];
  const { globalId } = cephx;
  await rados.close();
  const dispatcher = { onOpen() {}, onMessage() {}, onClose() {} };
  const name = { type: ENTITY_TYPE.CLIENT, num: globalId };
  const messenger = new Messenger({ ...common, name, transport, dispatcher });
  stop.push(() => messenger.close());
  /** The mode that a link comes to with these wishes; the errno if it is refused. */
  const modeWith = async (addrs: AddrVec, type: number, wishes: readonly number[]) => {
    let mode: number | undefined;
    const inner =
      type === ENTITY_TYPE.MON ? cephx.monInitiator(wishes) : cephx.serviceInitiator(type, wishes);
    const noting: AuthInitiator = {
      ...inner,
      done(blob, id, chosen) {
        mode = chosen;
        return inner.done(blob, id, chosen);
      },
    };
    try {
      await messenger.connect(addrs, type, noting, { globalId });
    } catch (error) {
      return (error as { code: string }).code;
    }
    return mode;
  };
  return { ports, modeWith };
}

describe("every port of a cluster", () => {
  test.each([
    [false, [CON_MODE.CRC], CON_MODE.CRC],
    [false, [CON_MODE.SECURE], CON_MODE.SECURE],
    [false, BOTH, CON_MODE.CRC],
    [false, BOTH.toReversed(), CON_MODE.SECURE],
    [true, [CON_MODE.CRC], "EOPNOTSUPP"],
    [true, [CON_MODE.SECURE], CON_MODE.SECURE],
    [true, BOTH, CON_MODE.SECURE],
    [true, BOTH.toReversed(), CON_MODE.SECURE],
  ])("with secure required %s and the wishes %j comes to %s", async (requireSecure, wishes, to) => {
    const { ports, modeWith } = await clientOf(await start({ requireSecure }));
    expect(ports.map(([name]) => name)).toEqual(["mon.a", "mgr.x", "osd.0", "osd.1"]);
    for (const [name, addrs, type] of ports) {
      expect(await modeWith(addrs, type, wishes), name).toBe(to);
    }
  });
});

test("without keys secure can not be required, and nothing is touched", async () => {
  const { cluster, touched } = await start({ auth: "none", requireSecure: true });
  expect(cluster).toBeInstanceOf(ConfigError);
  expect((cluster as Error).message).toMatch(/^--require-secure with --auth none: /);
  expect(touched).toBe(0);
});

test("clients need nothing in their ceph.conf: they offer both modes unless told otherwise", async () => {
  const [plain, secure] = [await start({}), await start({ requireSecure: true })];
  const without = (text = "") => text.replace(/^fsid.*$/m, "");
  expect(without(secure.files.get("ceph.conf"))).toBe(without(plain.files.get("ceph.conf")));
});
