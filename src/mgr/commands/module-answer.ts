/** What a manager module says, as it reaches who asked. */

import { type CommandReply, ok } from "../../mon/index.ts";

/** compat: whatever lines a module ends with, one end is left of them; nothing stays nothing. */
export function moduleAnswer(text: string): CommandReply {
  const trimmed = text.replace(/\n+$/, "");
  return ok(trimmed === "" ? "" : `${trimmed}\n`);
}
