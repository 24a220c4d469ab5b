/**
 * `ceph ping mon.ID`: a monitor's health and state, from itself.
 * ceph: src/ceph.in ping_monitor
 */

import { CephError } from "../../base/index.ts";
import { CommandFailure, cppStrerror } from "../client/index.ts";
import { daemonIds } from "./ask.ts";
import { complain, type Session } from "./session.ts";

const START = "mon.";

/** @returns what is wrong with the words, if something is */
export function pingProblem(words: readonly string[]): string | undefined {
  const [, who] = words;
  if (who === undefined) {
    return '"ping" requires a monitor name as argument: "ping mon.<id>"';
  }
  return who.startsWith(START)
    ? undefined
    : '"ping" expects a monitor to ping; try "ping mon.<id>"';
}

export async function ping(session: Session, who: string): Promise<number> {
  const { cluster, out } = session;
  const id = who.slice(START.length);
  if (id === "*") {
    for (const name of (await daemonIds(cluster, "mon")) ?? []) {
      const text = await pong(session, name);
      await out.say(`mon.${name}\n${text ?? "Error connecting to monitor."}`);
    }
    return 0;
  }
  try {
    await out.say(await cluster.engine.pingMonitor(id));
    return 0;
  } catch (error) {
    if (!(error instanceof CephError)) throw error;
    throw new CommandFailure(`error calling ping_monitor: mon.${id}: ${cppStrerror(error.errno)}`);
  }
}

async function pong({ cluster }: Session, name: string): Promise<string | undefined> {
  try {
    return await cluster.engine.pingMonitor(name);
  } catch (error) {
    if (!(error instanceof CephError)) throw error;
    complain(error.message);
    return undefined;
  }
}
