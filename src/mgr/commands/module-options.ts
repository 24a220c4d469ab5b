/** Options of manager modules, `mgr/<module>/<name>`: kept with all others. */

import { findOption } from "../../config/index.ts";
import type { CommandContext } from "../../mon/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";

/** The value that is set for the manager, or the default. */
export function moduleOption(ctx: CommandContext, module: string, name: string): string {
  const { config, mgrMap, host } = ctx.state;
  const key = `mgr/${module}/${name}`;
  const entity = { type: ENTITY_TYPE.MGR, id: mgrMap().activeName };
  return config.resolve(entity, host).get(key)?.value ?? findOption(key)?.fallback ?? "";
}

/** Resolves when it is durable. */
export async function setModuleOption(
  ctx: CommandContext,
  module: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const target = { section: "mgr", mask: "" };
  const changes = Object.entries(values).map(([name, value]) => ({
    target,
    name: `mgr/${module}/${name}`,
    value,
  }));
  await ctx.state.config.apply(changes);
}
