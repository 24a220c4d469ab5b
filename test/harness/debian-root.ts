/**
 * Unmodified clients and daemons of another Debian release than the machine's own: a folder made by
 * debootstrap, and a shell in it that sees the machine's /proc, /dev and one shared folder.
 *
 * Every command gets a mount namespace of its own, so that there is nothing to unmount: the mounts end with
 * the last process that has them, however it ends, and are never seen by anybody else.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { must, type RunOptions } from "./run.ts";

/** Debian's releases by what their clients are. */
export const RELEASES: Readonly<Record<string, string>> = {
  bookworm: "Debian 12",
  trixie: "Debian 13",
  testing: "Debian testing",
};

/** Where the folders are made unless told otherwise; 800 MB each. */
export const ROOTS_DIR = ".cache/debian";

/** What the walk-through's commands need, and a cluster. */
const PACKAGES = [
  "qemu-utils",
  "qemu-block-extra",
  "ceph-common",
  "fio",
  "python3-rbd",
  "python3-rados",
  "ceph-mon",
  "ceph-osd",
  "ceph-mgr",
];
/** Packages that would start services are told not to: nothing but this harness starts anything in there. */
const NO_SERVICES = "#!/bin/sh\nexit 101\n";
/** The releases differ by nothing that the script of unstable does not know. */
const SCRIPT = "/usr/share/debootstrap/scripts/sid";
const OWN_MOUNTS = "unshare --mount --propagation private";
const INSTALL_TIMEOUT_MS = 1_800_000;

/**
 * The folder of a release, made first if need be of the archive that the machine's own apt uses; undefined for
 * the machine's own release.
 * @param name of RELEASES
 */
export async function releaseRoot(
  name: string,
  say: (line: string) => void,
  dir = ROOTS_DIR,
): Promise<string | undefined> {
  if (!Object.hasOwn(RELEASES, name)) {
    throw new Error(`${name}: not one of ${Object.keys(RELEASES).join(", ")}`);
  }
  const text = await readFile("/etc/os-release", "utf8");
  if (/^VERSION_CODENAME=(\S+)$/m.exec(text)?.[1] === name) return undefined;
  if (process.getuid?.() !== 0) {
    throw new Error(`${name}: needs root, for debootstrap, chroot and mounts of its own`);
  }
  const root = join(resolve(dir), name);
  if (existsSync(root)) return root;
  say(`making ${root}: some minutes`);
  const options: RunOptions = { timeoutMs: INSTALL_TIMEOUT_MS };
  const half = `${root}.partial`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true });
  const archive = await debianArchive();
  const make = `debootstrap --variant=minbase ${name} ${quote(half)} ${archive} ${SCRIPT}`;
  // It mounts, too: interrupted, it would leave this machine's /proc in a folder that is removed.
  await must(`${OWN_MOUNTS} ${make}`, options);
  await writeFile(join(half, "usr/sbin/policy-rc.d"), NO_SERVICES, { mode: 0o755 });
  // A mirror may be older than the date that the suite's list of files says it is good for.
  const apt = "DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Check-Valid-Until=false";
  const install = `${apt} update && ${apt} install -y --no-install-recommends ${PACKAGES.join(" ")} && apt-get clean`;
  await must(shellCommand(half, [], install), options);
  await rename(half, root);
  return root;
}

/**
 * What makes of a command line one that runs it in `root`, or here for undefined, below `workDir`. Of this
 * machine's files it sees `shared`, where it lies here.
 */
export function commandIn(
  root: string | undefined,
  shared: string,
  workDir: string,
): (command: string) => string {
  return (command) => {
    const there = `cd ${quote(workDir)} && ${command}`;
    return root === undefined ? there : shellCommand(root, [shared], there);
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
