/**
 * `ceph daemon`: what one daemon of this machine is asked through its admin socket, without the cluster.
 * ceph: src/ceph.in maybe_daemon_command, get_admin_socket; src/pybind/ceph_daemon.py admin_socket
 */

import { statSync } from "node:fs";
import { ConfigError, ERRNO, pythonJson } from "../../base/index.ts";
import type { CephArguments } from "../../config/index.ts";
import { readConfig } from "../../librados/index.ts";
import { askAdminSocket } from "../../messenger/index.ts";
import { CommandFailure, Output } from "../client/index.ts";
import { chooseCommand } from "./choose.ts";
import { commandJson } from "./command-json.ts";
import { runDaemonPerf } from "./daemonperf.ts";
import type { OptionKey } from "./options.ts";
import { complain } from "./session.ts";
import { parseSignatures } from "./signature.ts";

/**
 * Runs the words if they are for an admin socket.
 * @returns the exit code; undefined if they are not
 */
export async function runAdminCommand(
  options: ReadonlyMap<OptionKey, string>,
  args: CephArguments,
  words: readonly string[],
): Promise<number | undefined> {
  const named = options.get("adminDaemon");
  if (named !== undefined) return await askDaemon(named, words, options.get("format"));
  const [verb, who, ...command] = words;
  if (verb !== "daemon" && verb !== "daemonperf") return undefined;
  const isPerf = verb === "daemonperf";
  if (who === undefined || (command.length === 0 && !isPerf)) {
    complain(`${verb} requires at least ${isPerf ? 2 : 3} arguments`);
    return ERRNO.EINVAL;
  }
  const path = who.includes("/") ? who : await socketOf(who, args);
  if (isPerf) return await runDaemonPerf(command, (asked) => answerOf(path, asked, undefined));
  return await askDaemon(path, command, options.get("format"));
}

/** Where a daemon's socket is by the configuration: `osd.0`, or `client.x.4711` with the process's id. */
async function socketOf(name: string, args: CephArguments): Promise<string> {
  let path: string;
  try {
    path = await configuredSocket(name, args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandFailure(`Can't get admin socket path: ${error.message}`, ERRNO.EINVAL, error);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() === true) return path;
  const match = /^(.+)\.(\d+)$/.exec(name);
  if (match === null || !match[1]?.includes(".")) return path;
  return await configuredSocket(match[1], args, Number(match[2]));
}

async function configuredSocket(name: string, args: CephArguments, pid?: number): Promise<string> {
  const { config } = await readConfig({ args, name, ...(pid !== undefined && { pid }) });
  // Clients have none unless they are told to; daemons have this one.
  return config.get("admin_socket") || config.expand("$run_dir/$cluster-$name.asok");
}

async function askDaemon(
  path: string,
  words: readonly string[],
  format: string | undefined,
): Promise<number> {
  const out = new Output();
  out.put(await answerOf(path, words, format));
  await out.flush();
  return 0;
}

/** @throws CommandFailure */
async function answerOf(
  path: string,
  words: readonly string[],
  format: string | undefined,
): Promise<Buffer> {
  try {
    const described = await askAdminSocket(path, '{"prefix": "get_command_descriptions"}');
    const chosen = chooseCommand(parseSignatures(described.toString("utf8")), words);
    if ("words" in chosen) {
      return await askAdminSocket(path, pythonJson(commandJson(chosen, { format })));
    }
    for (const line of chosen.advice) complain(line);
  } catch (error) {
    throw new CommandFailure(`admin_socket: ${(error as Error).message}`, ERRNO.EINVAL, error);
  }
  throw new CommandFailure("admin_socket: invalid command", ERRNO.EINVAL);
}
