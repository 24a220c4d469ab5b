/**
 * `telemetry …`: what a cluster tells its makers, which is nothing here: it can be asked for and stays off.
 * ceph: src/pybind/mgr/telemetry/module.py
 */

import { PRETTY, type PyJson, pythonJson } from "../../base/index.ts";
import { findOption } from "../../config/index.ts";
import { type Args, type CommandContext, type CommandReply, ok, refused } from "../../mon/index.ts";
import { moduleAnswer } from "./module-answer.ts";
import { moduleOption } from "./module-options.ts";
import { commandsOf } from "./row.ts";

const LICENSE = "sharing-1-0";
const LICENSE_NAME = "Community Data License Agreement - Sharing - Version 1.0";
const LICENSE_URL = "https://cdla.io/sharing-1-0/";

/** In the order of the answer. */
const OPTIONS = [
  "channel_basic",
  "channel_crash",
  "channel_device",
  "channel_ident",
  "contact",
  "description",
  "device_url",
  "enabled",
  "interval",
  "last_opt_revision",
  "leaderboard",
  "log_level",
  "log_to_cluster",
  "log_to_cluster_level",
  "log_to_file",
  "organization",
  "proxy",
  "url",
];

function valueOf(ctx: CommandContext, name: string): PyJson {
  const type = findOption(`mgr/telemetry/${name}`)?.type ?? "str";
  const text = moduleOption(ctx, "telemetry", name);
  if (type === "bool") return text === "true";
  if (["int", "uint", "secs"].includes(type)) return Number(text);
  // compat: Python's word for nothing is the default of some.
  return text === "None" ? null : text;
}

function status(ctx: CommandContext): CommandReply {
  const options = OPTIONS.map((name): [string, PyJson] => [name, valueOf(ctx, name)]);
  const value = Object.fromEntries([...options, ["last_upload", null]]);
  return moduleAnswer(pythonJson(value, PRETTY));
}

function on(_ctx: CommandContext, args: Args): CommandReply {
  if (args.text("license") !== LICENSE) {
    return refused(
      "EPERM",
      `Telemetry data is licensed under the ${LICENSE_NAME} (${LICENSE_URL}).\n` +
        `To enable, add '--license ${LICENSE}' to the 'ceph telemetry on' command.`,
    );
  }
  return refused("EOPNOTSUPP", "telemetry is not supported: nothing is ever sent");
}

export const telemetryCommands = commandsOf<CommandContext>("telemetry", [
  ["telemetry status", "r", "show what would be sent, and that nothing is", status],
  [
    "telemetry on name=license,type=CephString,req=false",
    "rw",
    "ask for telemetry, which there is not",
    on,
  ],
  ["telemetry off", "rw", "keep telemetry off", () => ok()],
]);
