/**
 * Unmodified clients of another Debian release than the machine's own: a folder made by debootstrap, and a
 * shell in it that sees the machine's /proc, /dev and one shared folder.
 *
 * Every command gets a mount namespace of its own, so that there is nothing to unmount: the mounts end with
 * the last process that has them, however it ends, and are never seen by anybody else.
 */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { must, type RunOptions } from "./run.ts";

/** What the walk-through's commands need. */
const PACKAGES = [
  "qemu-utils",
  "qemu-block-extra",
  "ceph-common",
  "fio",
  "python3-rbd",
  "python3-rados",
];
/** The releases differ by nothing that the script of unstable does not know. */
const SCRIPT = "/usr/share/debootstrap/scripts/sid";
const OWN_MOUNTS = "unshare --mount --propagation private";
const INSTALL_TIMEOUT_MS = 1_800_000;

/** Makes the folder, unless it is there already, of the archive that the machine's own apt uses. */
export async function makeClientRoot(
  root: string,
  suite: string,
  say: (line: string) => void,
): Promise<void> {
  if (existsSync(root)) return;
  say(`making ${root}: some minutes`);
  const options: RunOptions = { timeoutMs: INSTALL_TIMEOUT_MS };
  const half = `${root}.partial`;
  await rm(half, { recursive: true, force: true });
  const archive = await debianArchive();
  const make = `debootstrap --variant=minbase ${suite} ${quote(half)} ${archive} ${SCRIPT}`;
  // It mounts, too: interrupted, it would leave this machine's /proc in a folder that is removed.
  await must(`${OWN_MOUNTS} ${make}`, options);
  // A mirror may be older than the date that the suite's list of files says it is good for.
  const apt = "DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Check-Valid-Until=false";
  const install = `${apt} update && ${apt} install -y --no-install-recommends ${PACKAGES.join(" ")} && apt-get clean`;
  await must(shellCommand(half, [], install), options);
  await rename(half, root);
}

/** Runs command lines with the clients in `root`, which see `shared` where it lies on this machine. */
export function clientShell(
  root: string,
  shared: string,
  workDir: string,
): (command: string) => [string, ...string[]] {
  return (command) => {
    const there = `cd ${quote(workDir)} && ${command}`;
    return ["bash", "--norc", "-c", shellCommand(root, [shared], there)];
  };
}

/** The versions of what is in `root` (the machine's own for undefined), by package. */
export async function clientVersions(root: string | undefined): Promise<Record<string, string>> {
  const admin = root === undefined ? "" : `--admindir='${join(root, "var/lib/dpkg")}'`;
  const format = "-f '${Package} ${Version}\\n'";
  const text = await must(`dpkg-query ${admin} -W ${format} ceph-common qemu-utils fio`);
  const pairs = text.trim().split("\n");
  return Object.fromEntries(pairs.map((line) => line.split(" ") as [string, string]));
}

/** What `rbd help` of these clients lists: each command, and its short form or "". */
export async function rbdCommands(root: string | undefined): Promise<Record<string, string>> {
  // Without a cluster's conf it complains on stderr and helps all the same.
  const text = await must(root === undefined ? "rbd help" : shellCommand(root, [], "rbd help"));
  const start = text.indexOf("<command>\n");
  const list = text.slice(start, text.indexOf("\nOptional arguments"));
  const found = [...list.matchAll(/^ {4}([a-z][a-z -]*?)(?: \(([^)]*)\))?(?: {2,}.*)?$/gm)];
  return Object.fromEntries(
    found.map(([, long = "", short = ""]) => [
      long,
      short.replace("...", long.split(" ").slice(0, -1).join(" ")),
    ]),
  );
}

function shellCommand(root: string, shared: string[], command: string): string {
  const mounts = ["/proc", "/dev", ...shared].map((path) => {
    const target = quote(join(root, path));
    return `mkdir -p ${target} && mount --rbind ${quote(path)} ${target}`;
  });
  const inside = `exec chroot ${quote(root)} /bin/bash -c ${quote(command)}`;
  const script = [...mounts, inside].join(" && ");
  return `exec ${OWN_MOUNTS} sh -c ${quote(script)}`;
}

/** The archive that the machine's own packages come from, as its apt has it. */
async function debianArchive(): Promise<string> {
  const format = "--format '$(ORIGIN) $(COMPONENT) $(REPO_URI)'";
  const text = await must(`apt-get indextargets ${format} 'Created-By: Packages'`);
  const archive = /^Debian main (\S+)$/m.exec(text)?.[1];
  if (archive === undefined)
    throw new Error("apt knows no archive of Debian's main: apt-get update");
  return archive;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
