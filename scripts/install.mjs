#!/usr/bin/env node
// Installs what the checkout needs: npm packages from the lock file, Debian packages by apt-get.
//
// Uses nothing but Node, because it runs before anything is installed. Says what it does, does nothing
// where nothing is missing, and where it may not install prints the exact line to type and stops.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = join(fileURLToPath(import.meta.url), "../..");

/** Debian packages and why each is wanted. */
export const DEBIAN_PACKAGES = {
  "qemu-utils": "qemu-img and qemu-io",
  "qemu-block-extra": "QEMU's rbd driver",
  "qemu-system-x86": "the virtual machine",
  "ceph-common": "ceph, rbd and rados",
  fio: "verified load",
  "python3-rbd": "librbd from Python",
  "python3-rados": "librados from Python",
  "ceph-mon": "the real cluster that tests and benchmarks compare with",
  "ceph-osd": "the same",
  "ceph-mgr": "the same",
  "busybox-static": "the guest's user land",
  e2fsprogs: "the guest's file system",
  zsh: "a shell in which commands are completed",
  fish: "another",
};
/** Fetched (not installed) by apt when the guest is built; apt has to know it. */
const FETCHED_PACKAGE = "linux-image-cloud-amd64";

/** Installs what is missing. Exits the process with 1, after saying what to type, where it may not. */
export function install() {
  // First what may be refused, so that a refusal leaves the machine as it was.
  installDebian();
  installNpm();
}

function installNpm() {
  const lock = join(ROOT, "package-lock.json");
  const done = join(ROOT, "node_modules", ".package-lock.json");
  const current = existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs;
  if (current) return say("npm packages: all there");
  say("npm packages: npm ci");
  if (!runs("npm", ["ci", "--no-audit", "--no-fund"])) stop("npm ci failed; type:", "npm ci");
}

function installDebian() {
  const missing = Object.keys(DEBIAN_PACKAGES).filter((name) => !isInstalled(name));
  if (missing.length === 0 && aptKnows(FETCHED_PACKAGE)) return say("Debian packages: all there");
  const commands = ["apt-get update"];
  if (missing.length > 0) {
    commands.push(`apt-get install -y --no-install-recommends ${missing.join(" ")}`);
  }
  const line = commands.join(" && ");
  if (!isDebian()) stop("this is not Debian; on Debian 12, type:", `sudo sh -c '${line}'`);
  const root = process.getuid() === 0;
  if (!root && !onPath("sudo")) stop("neither root nor sudo here; type:", `su - -c '${line}'`);
  if (!root && !canSudo()) stop("no root here; type:", `sudo sh -c '${line}'`);
  const again = root ? line : `sudo sh -c '${line}'`;
  const apt = (args) => {
    const command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return root ? runs(command[0], command.slice(1)) : runs("sudo", command);
  };
  say("Debian packages: apt-get update");
  if (!apt(["-q", "update"])) stop("apt-get update failed; type:", again);
  if (!aptKnows(FETCHED_PACKAGE)) {
    stop(`apt knows no ${FETCHED_PACKAGE}: it takes Debian's own main archive for amd64`);
  }
  if (missing.length === 0) return;
  for (const name of missing) say(`Debian packages: ${name} (${DEBIAN_PACKAGES[name]})`);
  // Daemons come without services started: policy-rc.d is not ours to write, and Ceph's units do
  // nothing without /etc/ceph/ceph.conf.
  if (!apt(["-q", "install", "-y", "--no-install-recommends", ...missing])) {
    stop("apt-get install failed; type:", again);
  }
}

/** Derivatives do not count: their package names and versions differ. */
function isDebian() {
  const release = "/etc/os-release";
  if (!existsSync(release) || !onPath("apt-get")) return false;
  return /^ID="?debian"?$/m.test(readFileSync(release, "utf8"));
}

function isInstalled(name) {
  const result = spawnSync("dpkg-query", ["-W", "-f", "${Status}", name], { encoding: "utf8" });
  return result.status === 0 && result.stdout.endsWith(" installed");
}

function aptKnows(name) {
  if (existsSync(join(ROOT, ".cache", "kernel", "unpacked"))) return true;
  const result = spawnSync("apt-cache", ["depends", name], { encoding: "utf8" });
  return result.status === 0 && /Depends: linux-image-/.test(result.stdout);
}

function canSudo() {
  if (!onPath("sudo")) return false;
  // A terminal may ask for a password; without one only a password-less sudo will do.
  const args = process.stdin.isTTY ? ["-v"] : ["-n", "true"];
  return spawnSync("sudo", args, { stdio: "inherit" }).status === 0;
}

function onPath(program) {
  return (process.env.PATH ?? "").split(":").some((dir) => existsSync(join(dir, program)));
}

function runs(program, args) {
  return spawnSync(program, args, { cwd: ROOT, stdio: "inherit" }).status === 0;
}

function say(line) {
  console.log(`install: ${line}`);
}

/** Says why it went no further and, on a line of its own to copy, what to type; leaves with 1. */
function stop(why, line) {
  console.error(`install: ${why}`);
  if (line !== undefined) console.error(`\n  ${line}\n\nThen start again.`);
  process.exit(1);
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  install();
}
