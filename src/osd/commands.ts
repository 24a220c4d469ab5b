/**
 * `ceph tell osd.N …`: the commands an OSD answers itself.
 * ceph: src/osd/OSD.cc asok_command
 */

import { ERRNO } from "../base/index.ts";
import type { OsdCounters } from "./counters.ts";

interface Answer {
  readonly r: number;
  readonly status: string;
  readonly data: string;
}

interface Command {
  readonly help: string;
  run(host: CommandHost): unknown;
}

export interface CommandHost {
  readonly id: number;
  readonly fsid: string;
  readonly version: string;
  readonly epoch: number;
  readonly pgs: number;
  readonly counters: OsdCounters;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  version: { help: "report version of OSD", run: (h) => ({ version: h.version }) },
  "perf dump": {
    help: "dump non-labeled counters and their values",
    run: (h) => h.counters.dump(),
  },
  status: {
    help: "high-level status of OSD",
    run: (h) => ({
      cluster_fsid: h.fsid,
      whoami: h.id,
      state: "active",
      newest_map: h.epoch,
      num_pgs: h.pgs,
    }),
  },
};

/** The table the ceph tool validates a command line with. */
function descriptions(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(COMMANDS).map(([prefix, command], i) => [
      `cmd${String(i).padStart(3, "0")}`,
      { sig: prefix.split(" "), help: command.help, module: "osd", perm: "rw", flags: 0 },
    ]),
  );
}

/** @param json the command as the client sent it, one JSON object */
export function runCommand(host: CommandHost, json: string): Answer {
  let prefix: unknown;
  let format: unknown;
  try {
    ({ prefix, format } = JSON.parse(json) as { prefix?: unknown; format?: unknown });
  } catch {
    return { r: -ERRNO.EINVAL, status: "command is not JSON", data: "" };
  }
  if (prefix === "get_command_descriptions") {
    return { r: 0, status: "", data: JSON.stringify(descriptions()) };
  }
  const command =
    typeof prefix === "string" && Object.hasOwn(COMMANDS, prefix) ? COMMANDS[prefix] : undefined;
  if (command === undefined) {
    return { r: -ERRNO.EINVAL, status: `command '${String(prefix)}' not known`, data: "" };
  }
  const indent = format === "json" ? undefined : 4;
  return { r: 0, status: "", data: `${JSON.stringify(command.run(host), null, indent)}\n` };
}
