/**
 * What several families of commands need: names to pools, refusals to replies, a change and its answer.
 */

import { byteString, textOf } from "../../encoding/index.ts";
import type { OsdMap } from "../../maps/index.ts";
import { type PgPool, poolByName } from "../../maps/index.ts";
import type { PendingMap } from "../services/osd-map.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Command, type CommandReply, ok, refused } from "./command.ts";
import type { CommandContext } from "./context.ts";

export type MonCommand = Command<CommandContext>;

/** A pool found by the name a user typed. */
export interface FoundPool {
  readonly id: number;
  readonly pool: PgPool;
}

export function findPool(map: OsdMap, name: string | undefined): FoundPool | CommandReply {
  const id = poolByName(map, byteString(name ?? ""));
  const pool = id === undefined ? undefined : map.pools.get(id);
  if (id === undefined || pool === undefined) {
    return refused("ENOENT", `unrecognized pool '${name ?? ""}'`);
  }
  return { id, pool };
}

export function isCommandReply(x: object): x is CommandReply {
  return "r" in x && "status" in x;
}

export function poolName(map: OsdMap, id: number): string {
  return textOf(map.poolNames.get(id) ?? "");
}

/** Pools in order of their ids. */
export function poolsOf(map: OsdMap): [number, PgPool][] {
  return [...map.pools].sort(([a], [b]) => a - b);
}

export function replyOf(refusal: Refusal): CommandReply {
  return { r: refusal.errno, status: refusal.message, data: "" };
}

/** Edits the OSD map; answers when the change is durable and published. */
export async function changeMap(
  ctx: CommandContext,
  mutate: (pending: PendingMap) => CommandReply | Refusal | string,
): Promise<CommandReply> {
  const result = await ctx.state.maps.change(mutate);
  if (typeof result === "string") return ok("", result);
  return result instanceof Refusal ? replyOf(result) : result;
}

/** Indented JSON is what these commands print even without being asked. */
export function versionsOf(count: number, version: string): Record<string, number> {
  return count === 0 ? {} : { [version]: count };
}
