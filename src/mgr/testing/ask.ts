/** A manager beside a monitor in memory, and somebody who asks it as `ceph` does: for unit tests of commands. */

import { ALLOW_ALL_CAPS, type EntityCaps } from "../../auth/index.ts";
import { type Clock, seededRandom, silentLogger, systemClock } from "../../base/index.ts";
import { textOf } from "../../encoding/index.ts";
import {
  MCommand,
  MCommandReply,
  MMgrCommand,
  MMgrCommandReply,
  MMonCommand,
  MMonCommandAck,
} from "../../messages/index.ts";
import type { Connection } from "../../messenger/index.ts";
import { Monitor } from "../../mon/index.ts";
import { MemStore } from "../../store/index.ts";
import type { OutgoingMessage } from "../../types/index.ts";
import { Manager } from "../manager.ts";

const FSID = "00000000-1111-4222-8333-444444444444";
const NOW = 1_700_000_000_000;

export interface Answer {
  readonly r: number | undefined;
  readonly status: string;
  readonly data: string;
}

export interface AskedManager {
  readonly monitor: Monitor;
  readonly ask: Ask;
  /** A command's text as it is, whatever it is. */
  readonly send: (text: string, input: Uint8Array) => Promise<Answer>;
  /** The same command, sent to the monitor. */
  readonly askMonitor: Ask;
  /** `ceph tell mgr`. */
  readonly tell: Ask;
  readonly manager: Manager;
}

type Ask = (prefix: string, args?: object, input?: string) => Promise<Answer>;

/** Time stands still, and nothing is periodic. */
function stillClock(): Clock {
  const never = { cancel: () => undefined };
  return {
    now: () => NOW,
    monotonic: () => NOW,
    after: () => never,
    every: () => never,
    defer: (fn) => systemClock.defer(fn),
  };
}

function toIncoming(message: OutgoingMessage) {
  const { type, version, compatVersion, front, tid = 0, data = [] } = message;
  const middle = new Uint8Array(0);
  const fields = { middle, data: data[0] ?? new Uint8Array(0), priority: 127, seq: 1 };
  return { type, version, compatVersion, front, tid, ...fields };
}

/** A cluster with the pool "rbd"; all OSDs are up. The store outlives what is opened on it. */
export async function askManager({
  numOsds = 1,
  store = new MemStore(),
  caps = ALLOW_ALL_CAPS,
}: {
  numOsds?: number;
  store?: MemStore;
  caps?: EntityCaps;
} = {}): Promise<AskedManager> {
  const clock = stillClock();
  const options = {
    fsid: FSID,
    name: "a",
    addrs: [{ type: 2, ip: "127.0.0.1", port: 3300, nonce: 0 }],
    host: "bench",
    store,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    version: { version: "16.2.15", release: "pacific", text: "ceph version 16.2.15" },
  };
  const monitor = Monitor.exists(store)
    ? await Monitor.open(options)
    : await Monitor.create(options, { pools: ["rbd"], numOsds, osdBytes: 2 ** 32 });
  const manager = new Manager({
    name: "x",
    monitor,
    random: seededRandom(2),
    log: silentLogger,
    connect: () => Promise.reject(new Error("no network")),
  });
  monitor.mgrBoot([{ type: 2, ip: "127.0.0.1", port: 6800, nonce: 1 }], 4098n);
  for (let id = 0; id < numOsds; id++) {
    const addr = { type: 2, ip: "127.0.0.1", port: 6801 + id, nonce: 1 };
    await monitor.osdBoot(id, [addr], `00000000-1111-4222-8333-55555555555${5 + id}`);
  }
  const addr = { type: 3, ip: "127.0.0.1", port: 0, nonce: 77 };
  const connection = (reply: (message: OutgoingMessage) => void): Connection => ({
    id: 1,
    peerName: { type: 8, num: 5000n },
    peerAddrs: [addr],
    peerAddr: addr,
    features: 0x3f01cfbdfffdffffn,
    identity: { entity: { type: 8, id: "test" }, globalId: 5000n, caps },
    isOpen: true,
    session: undefined,
    queuedBytes: 0,
    takenBytes: 0,
    send: reply,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
  });
  const textOfCommand = (prefix: string, args: object) => JSON.stringify({ prefix, ...args });
  const answerOf = ({ r, rs, data }: { r: number; rs: string; data: Uint8Array }): Answer => ({
    r,
    status: textOf(rs),
    data: Buffer.from(data).toString(),
  });
  const send: AskedManager["send"] = (text, data) =>
    new Promise((resolve) => {
      const client = connection((message) =>
        resolve(answerOf(MMgrCommandReply.decode(toIncoming(message)))),
      );
      const request = { fsid: FSID, cmd: [text], data };
      manager.onMessage(client, toIncoming(MMgrCommand.encode(request, 1)));
    });
  const tell: Ask = (prefix, args = {}, input = "") =>
    new Promise((resolve) => {
      const client = connection((message) =>
        resolve(answerOf(MCommandReply.decode(toIncoming(message)))),
      );
      const cmd = [textOfCommand(prefix, args)];
      const request = { fsid: FSID, cmd, data: Buffer.from(input) };
      manager.onMessage(client, toIncoming(MCommand.encode(request, 1)));
    });
  const ask: Ask = (prefix, args = {}, input = "") =>
    send(textOfCommand(prefix, args), Buffer.from(input));
  const askMonitor: Ask = (prefix, args = {}, input = "") =>
    new Promise((resolve) => {
      const client = connection((message) =>
        resolve(answerOf(MMonCommandAck.decode(toIncoming(message)))),
      );
      const cmd = [textOfCommand(prefix, args)];
      const request = { version: 0, fsid: FSID, cmd, data: Buffer.from(input) };
      monitor.dispatcher.onOpen(client);
      monitor.dispatcher.onMessage(client, toIncoming(MMonCommand.encode(request, 1)));
    });
  return { monitor, manager, ask, send, askMonitor, tell };
}
