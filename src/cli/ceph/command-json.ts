/**
 * A command as daemons take it.
 * ceph: src/pybind/ceph_argparse.py validate, json_command
 */

import type { PyJson } from "../../base/index.ts";
import type { Chosen } from "./choose.ts";
import { COMMAND_FLAG } from "./signature.ts";

/** What the command line adds to a command. */
export interface Extras {
  readonly format?: string | undefined;
  /** Columns of the terminal, for commands that are polled. */
  readonly width?: number | undefined;
  readonly printHeader?: boolean | undefined;
}

export type CommandJson = Readonly<Record<string, PyJson>>;

/** Does the manager have it? */
export function isForManager({ signature }: Chosen): boolean {
  return (signature.flags & COMMAND_FLAG.MGR) !== 0;
}

/** Is it asked again and again? */
export function isPolled({ signature }: Chosen): boolean {
  return (signature.flags & COMMAND_FLAG.POLL) !== 0;
}

export function commandJson(chosen: Chosen, extras: Extras = {}): CommandJson {
  const { format, width, printHeader } = extras;
  return {
    ...Object.fromEntries(chosen.words),
    // compat: logs of audits show it.
    ...(isForManager(chosen) && { target: ["mon-mgr", ""] }),
    ...(isPolled(chosen) && { poll: true }),
    ...(format !== undefined && { format }),
    ...(width !== undefined && { width }),
    ...(printHeader !== undefined && { print_header: printHeader }),
  };
}
