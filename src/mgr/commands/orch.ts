/**
 * `orch …`: there is no orchestrator, and every command of it says so.
 * ceph: src/pybind/mgr/orchestrator/_interface.py, module.py
 */

import {
  type Args,
  COMMAND_FLAG,
  type Command,
  type CommandContext,
  type CommandReply,
  ok,
  refused,
} from "../../mon/index.ts";

function none(): CommandReply {
  return refused("ENOENT", "No orchestrator configured (try `ceph orch set backend`)");
}

/** None is what there is already; no other is there to be set. */
function setBackend(_ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("module_name") ?? "";
  return name === "" ? ok() : refused("EINVAL", `Module '${name}' not found`);
}

const FORMAT =
  "name=format,type=CephChoices,req=false,strings=plain|json|json-pretty|yaml|xml-pretty|xml";
const HOST = "name=hostname,type=CephString";
const REFRESH = "name=refresh,type=CephBool,req=false";
const SERVICE = "name=service_name,type=CephString,req=false";

const ROWS: readonly (readonly [sig: string, perm: string, help: string])[] = [
  [`orch status name=detail,type=CephBool,req=false ${FORMAT}`, "r", "show the orchestrator"],
  [
    `orch ls name=service_type,type=CephString,req=false ${SERVICE} name=export,type=CephBool,req=false ${FORMAT} ${REFRESH}`,
    "r",
    "list the orchestrator's services",
  ],
  [
    `orch ps ${HOST},req=false ${SERVICE} name=daemon_type,type=CephString,req=false name=daemon_id,type=CephString,req=false ${FORMAT} ${REFRESH}`,
    "r",
    "list the orchestrator's daemons",
  ],
  [
    `orch host ls ${FORMAT} name=host_pattern,type=CephString,req=false name=label,type=CephString,req=false name=host_status,type=CephString,req=false`,
    "r",
    "list the orchestrator's hosts",
  ],
  [
    `orch device ls ${HOST},n=N,req=false ${FORMAT} ${REFRESH} name=wide,type=CephBool,req=false`,
    "r",
    "list the devices of the orchestrator's hosts",
  ],
  ["orch upgrade status", "rw", "show how far an upgrade is"],
  ["orch pause", "rw", "pause the orchestrator"],
  ["orch resume", "rw", "let the orchestrator go on"],
  ["orch cancel", "rw", "cancel what the orchestrator is doing"],
];

const common = { module: "mgr", flags: COMMAND_FLAG.MGR } as const;

export const orchCommands: readonly Command<CommandContext>[] = [
  ...ROWS.map(([sig, perm, help]) => ({ ...common, sig, perm, help, run: none })),
  {
    ...common,
    sig: "orch set backend name=module_name,type=CephString,req=false",
    perm: "rw",
    help: "choose the orchestrator",
    run: setBackend,
  },
];
