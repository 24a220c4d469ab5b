/**
 * `ceph --help [words]`, and `ceph tell TARGET help`.
 * ceph: src/ceph.in do_basic_help, do_extended_help, validate_target
 */

import { ERRNO } from "../../base/index.ts";
import type { Output } from "../client/index.ts";
import { askSignatures, daemonIds } from "./ask.ts";
import { helpText } from "./help-text.ts";
import { optionsHelp } from "./options.ts";
import { complain, type Session, terminalSize } from "./session.ts";
import { type Target, targetLabel } from "./target.ts";

const LOCAL = `ping <mon.id>            Ask a monitor for a sign of life; mon.* asks all of them
daemon <type.id|path> <command>
                         Ask a daemon of this machine through its admin socket; --admin-daemon is the same
daemonperf <type.id|path> [list] [patterns] [priority] [seconds] [count]
                         Show a daemon's counters as they grow; list: which there are. Priorities: critical,
                         interesting (and above, unless another is said), useful, uninteresting, debugonly
`;

/** What needs no cluster. */
export async function basicHelp(out: Output): Promise<void> {
  out.put(heading("General usage:"));
  out.put(
    "usage: spirula ceph [options] [command words]\n\nCeph administration tool\n\noptions:\n",
  );
  out.put(optionsHelp());
  out.put(heading("Local commands:"));
  out.put(`\n${LOCAL}\n`);
  await out.flush();
}

function heading(text: string): string {
  return `\n ${text} \n ${"=".repeat(text.length)}\n`;
}

/** The commands of the monitor, or of who is told; those that begin with the words. */
export async function commandsHelp(session: Session, words: readonly string[]): Promise<number> {
  const [first, who, ...rest] = words;
  if (first === "tell" && who !== undefined) {
    const target = await existingTarget(session, who);
    if (target === undefined) {
      const hint = "please pass correct target to tell command (e.g., mon.a, osd.1, mds.a, mgr)";
      complain(`target ${who} doesn't exist; ${hint}`);
      return 1;
    }
    session.out.put(heading(`Tell ${target.type} commands:`));
    return await helpOf(session, target, rest.join(" "));
  }
  session.out.put(heading("Monitor commands:"));
  return await helpOf(session, { type: "mon" }, words.join(" "));
}

/** `ceph tell osd.0 help`. @param who `osd.0`, `mgr` … */
export async function targetHelp(session: Session, who: string): Promise<number> {
  const target = await existingTarget(session, who);
  if (target === undefined) {
    const hint = "please pass correct target to tell command, such as mon.a/osd.1/mds.a/mgr";
    complain(`target ${who} doesn't exists, ${hint}`);
    return 1;
  }
  session.out.put(heading(`Tell ${target.type} commands`));
  return await helpOf(session, target, "");
}

async function helpOf(session: Session, target: Target, start: string): Promise<number> {
  const signatures = await askSignatures(session.cluster, target);
  if (!Array.isArray(signatures)) {
    const { result, status } = signatures;
    const isDenied = result === -ERRNO.EPERM || result === -ERRNO.EACCES;
    complain(
      isDenied
        ? "Permission denied.  Check your user has proper capabilities configured"
        : `couldn't get command descriptions for ${targetLabel(target)}: ${status} (${result})`,
    );
    return Math.abs(result);
  }
  session.out.put(helpText(signatures, terminalSize().columns, start));
  await session.out.flush();
  return 0;
}

/** The target, if there is such a daemon; says so if there is not. */
async function existingTarget(session: Session, who: string): Promise<Target | undefined> {
  if (who === "mon" || who === "mgr") return { type: who };
  const dot = who.indexOf(".");
  const type = dot < 0 ? who : who.slice(0, dot);
  if (dot < 0 || (type !== "mon" && type !== "osd" && type !== "mds" && type !== "mgr")) {
    complain(
      dot < 0
        ? `WARN: "${who}" is not a legal target. it should be one of mon.<id>/osd.<int>/mds.<id>/mgr`
        : `WARN: ${type} is not a legal service name, should be one of mon/osd/mds/mgr`,
    );
    return undefined;
  }
  const ids = (await daemonIds(session.cluster, type)) ?? [];
  const id = who.slice(dot + 1);
  if (ids.includes(id)) return { type, id };
  // All of a type have the same commands.
  if (id === "*" && ids[0] !== undefined) return { type, id: ids[0] };
  complain(
    `WARN: the service id you provided does not exist. service id should be one of ${ids.join("/")}.`,
  );
  return undefined;
}
