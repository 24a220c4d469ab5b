/**
 * `config-key …`: the durable dictionary for tools.
 * ceph: src/mon/ConfigKeyService.cc
 */

import { type Json } from "../../encoding/index.ts";
import { CONFIG_KEY_VALUE_MAX } from "../services/config-key.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

function get(ctx: CommandContext, args: Args): CommandReply {
  const value = ctx.state.configKey.get(args.text("key") ?? "");
  return value === undefined ? refused("ENOENT", "") : ok(value);
}

async function set(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const key = args.text("key") ?? "";
  const text = args.text("val");
  const value = text === undefined ? args.input : Buffer.from(text, "utf8");
  if (value.length > CONFIG_KEY_VALUE_MAX) {
    return refused("EFBIG", `error: entry size limited to ${CONFIG_KEY_VALUE_MAX} bytes`);
  }
  const { configKey } = ctx.state;
  if (configKey.isFull && configKey.get(key) === undefined) {
    return refused("ENOSPC", "too many keys");
  }
  await configKey.set(key, value);
  return ok("", `set ${key}`);
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  await ctx.state.configKey.remove(args.text("key") ?? "");
  return ok("", "key deleted");
}

function exists(ctx: CommandContext, args: Args): CommandReply {
  const key = args.text("key") ?? "";
  return ctx.state.configKey.get(key) === undefined
    ? refused("ENOENT", `key '${key}' doesn't exist`)
    : ok("", `key '${key}' exists`);
}

/** Compact JSON of these two ends in a line end. */
function answer(args: Args, value: Json): CommandReply {
  return ok(args.json(value, { newline: args.format === "json" }));
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  return answer(args, ctx.state.configKey.keys());
}

function dump(ctx: CommandContext, args: Args): CommandReply {
  const { configKey } = ctx.state;
  const values = configKey.keys(args.text("key") ?? "").map((key): [string, Json] => {
    const bytes = Buffer.from(configKey.get(key) ?? []);
    const text = bytes.toString("utf8");
    // Bytes that are no text are only counted, as upstream does.
    const binary = Buffer.compare(Buffer.from(text, "utf8"), bytes) !== 0;
    return [key, binary ? `<<< binary blob of length ${bytes.length} >>>` : text];
  });
  return answer(args, new Map(values));
}

const KEY = "name=key,type=CephString";
const VALUE = "name=val,type=CephString,req=false";
const { DEPRECATED } = COMMAND_FLAG;
const module = "config-key";

export const configKeyCommands: readonly MonCommand[] = [
  { sig: `config-key get ${KEY}`, help: "show a key's value", module, perm: "r", run: get },
  {
    sig: `config-key set ${KEY} ${VALUE}`,
    help: "set a key's value, from the line or the input (-i)",
    module,
    perm: "rw",
    run: set,
  },
  {
    sig: `config-key put ${KEY} ${VALUE}`,
    help: "set a key's value",
    module,
    perm: "rw",
    flags: DEPRECATED,
    run: set,
  },
  { sig: `config-key rm ${KEY}`, help: "remove a key", module, perm: "rw", run: rm },
  {
    sig: `config-key del ${KEY}`,
    help: "remove a key",
    module,
    perm: "rw",
    flags: DEPRECATED,
    run: rm,
  },
  { sig: `config-key exists ${KEY}`, help: "is there such a key?", module, perm: "r", run: exists },
  { sig: "config-key ls", help: "list the keys", module, perm: "r", run: ls },
  { sig: "config-key list", help: "list the keys", module, perm: "r", flags: DEPRECATED, run: ls },
  {
    sig: `config-key dump ${KEY},req=false`,
    help: "show keys with their values",
    module,
    perm: "r",
    run: dump,
  },
];
