/**
 * `ceph -w`: the cluster's state, then its log as it grows, until the user has seen enough.
 * ceph: src/ceph.in main; src/librados/RadosClient.cc handle_log
 */

import { utimeFromMs } from "../../types/index.ts";
import { errnoOf, formatLocalTime } from "../client/index.ts";
import { textOf } from "./ask.ts";
import type { OptionKey } from "./options.ts";
import { complain, type Session } from "./session.ts";

/** In the original's order: the last that is there counts. */
const LEVELS = [
  ["watch", "info"],
  ["watchDebug", "debug"],
  ["watchInfo", "info"],
  ["watchSec", "sec"],
  ["watchWarn", "warn"],
  ["watchError", "error"],
] as const satisfies readonly (readonly [OptionKey, string])[];

type Level = (typeof LEVELS)[number][1];

/** How levels are written in the log. */
const MARKS: Readonly<Record<Level, string>> = {
  debug: "[DBG]",
  info: "[INF]",
  sec: "[SEC]",
  warn: "[WRN]",
  error: "[ERR]",
};

/** The level to watch; undefined: nothing is to be watched. */
export function watchedLevel(options: ReadonlyMap<OptionKey, string>): Level | undefined {
  const found = LEVELS.findLast(([key]) => options.has(key))?.[1];
  return found ?? (options.has("watchChannel") ? "info" : undefined);
}

/** Never returns but with an errno, or when nobody reads any more; Ctrl-C ends the process. */
export async function watch(session: Session, level: Level): Promise<number> {
  const { cluster, options, out } = session;
  try {
    const { data } = await cluster.monCommand({ prefix: "status" });
    await out.say(textOf({ result: 0, status: "", data }));
  } catch (error) {
    complain(`status query failed:  ${causeText(error)}`);
    return -errnoOf(error);
  }
  // compat: with --watch-warn and the like, but no -w and no channel, the original shows no line at all.
  const channel = options.get("watchChannel") ?? "cluster";
  return await new Promise((resolve) => {
    const stop = cluster.engine.watchLog(level, (entry) => {
      if (channel !== "*" && channel !== entry.channel) return;
      const stamp = formatLocalTime(utimeFromMs(entry.stampMs));
      out.put(`${stamp} ${entry.name} ${MARKS[entry.level]} ${entry.message}\n`);
      void out.flush().then(() => {
        if (!out.isGone) return;
        stop();
        resolve(0);
      });
    });
  });
}

function causeText(error: unknown): string {
  const { cause } = error as Error;
  return cause instanceof Error ? cause.message : (error as Error).message;
}
