/** Asks a bench's monitor as `ceph` does, for unit tests of commands. */

import type { EntityCaps } from "../../auth/index.ts";
import { byteString, textOf } from "../../encoding/index.ts";
import { MCommand, MCommandReply, MMonCommand, MMonCommandAck } from "../../messages/index.ts";
import type { Monitor } from "../monitor.ts";
import { FakeClient, FSID, settle } from "./bench.ts";

export interface Answer {
  readonly r: number | undefined;
  readonly status: string;
  readonly data: string;
}

export type Ask = (prefix: string, args?: object, input?: string) => Promise<Answer>;

/** A large change takes the store some turns. */
const TURNS_MAX = 100;

/** One client. @param caps by default it may do everything */
export function askerOf(monitor: Monitor, caps?: EntityCaps): Ask {
  const client = new FakeClient(monitor, caps);
  return async (prefix, args = {}, input = "") => {
    const cmd = [byteString(JSON.stringify({ prefix, ...args }))];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: Buffer.from(input) });
    let ack: MMonCommandAck | undefined;
    for (let turn = 0; ack === undefined && turn < TURNS_MAX; turn++) {
      await settle();
      ack = client.take(MMonCommandAck).at(-1);
    }
    const data = Buffer.from(ack?.data ?? []).toString();
    return { r: ack?.r, status: textOf(ack?.rs ?? ""), data };
  };
}

/** The same with `ceph tell mon.a`. */
export function tellerOf(monitor: Monitor): Ask {
  const client = new FakeClient(monitor);
  return async (prefix, args = {}, input = "") => {
    const cmd = [JSON.stringify({ prefix, ...args })];
    client.send(MCommand, { fsid: FSID, cmd, data: Buffer.from(input) });
    await settle();
    const reply = client.take(MCommandReply).at(-1);
    const data = Buffer.from(reply?.data ?? []).toString();
    return { r: reply?.r, status: textOf(reply?.rs ?? ""), data };
  };
}
