/**
 * `orch …`: there is no orchestrator, and every command of it says so.
 * ceph: src/pybind/mgr/orchestrator/_interface.py, module.py
 */

import { type Args, type CommandContext, type CommandReply, ok, refused } from "../../mon/index.ts";
import { commandsOf } from "./row.ts";

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

export const orchCommands = commandsOf<CommandContext>("orchestrator", [
  [`orch status name=detail,type=CephBool,req=false ${FORMAT}`, "r", "show the orchestrator", none],
  [
    `orch ls name=service_type,type=CephString,req=false ${SERVICE} name=export,type=CephBool,req=false ${FORMAT} ${REFRESH}`,
    "r",
    "list the orchestrator's services",
    none,
  ],
  [
    `orch ps ${HOST},req=false ${SERVICE} name=daemon_type,type=CephString,req=false name=daemon_id,type=CephString,req=false ${FORMAT} ${REFRESH}`,
    "r",
    "list the orchestrator's daemons",
    none,
  ],
  [
    `orch host ls ${FORMAT} name=host_pattern,type=CephString,req=false name=label,type=CephString,req=false name=host_status,type=CephString,req=false`,
    "r",
    "list the orchestrator's hosts",
    none,
  ],
  [
    `orch device ls ${HOST},n=N,req=false ${FORMAT} ${REFRESH} name=wide,type=CephBool,req=false`,
    "r",
    "list the devices of the orchestrator's hosts",
    none,
  ],
  ["orch upgrade status", "rw", "show how far an upgrade is", none],
  ["orch pause", "rw", "pause the orchestrator", none],
  ["orch resume", "rw", "let the orchestrator go on", none],
  ["orch cancel", "rw", "cancel what the orchestrator is doing", none],
  [
    "orch set backend name=module_name,type=CephString,req=false",
    "rw",
    "choose the orchestrator",
    setBackend,
  ],
]);
