#!/usr/bin/env node
// Installs what the checkout needs: npm packages from the lock file, Debian packages by apt-get.
//
// Uses nothing but Node, because it runs before anything is installed. Says what it does, does nothing
// where nothing is missing, and where it may not install prints the exact line to type and stops.
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
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
};
/** Fetched (not installed) by apt when the guest is built; apt has to know it. */
const FETCHED_PACKAGE = "linux-image-cloud-amd64";

/** Installs what is missing. Exits the process with 1, after saying what to type, where it may not. */
export function install() {
  installNpm();
  installDebian();
}

function installNpm() {
  const lock = join(ROOT, "package-lock.json");
  const done = join(ROOT, "node_modules", ".package-lock.json");
  const current = existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs;
  if (current) return say("npm packages: all there");
  say("npm packages: npm ci");
  if (!runs("npm", ["ci", "--no-audit", "--no-fund"]))
    stop("cd into the checkout and type: npm ci");
}

function installDebian() {
  const missing = Object.keys(DEBIAN_PACKAGES).filter((name) => !isInstalled(name));
  const kernelKnown = aptKnows(FETCHED_PACKAGE);
  if (missing.length === 0 && kernelKnown) return say("Debian packages: all there");
  const names = missing.join(" ");
  const line = `apt-get update && apt-get install -y --no-install-recommends ${names}`;
  if (!existsSync("/etc/debian_version") || !onPath("apt-get")) {
    stop(`this is not Debian; on Debian 12 the line would be: sudo sh -c '${line}'`);
  }
  const root = process.getuid() === 0;
  if (!root && !canSudo()) stop(`no root here; type: sudo sh -c '${line}'`);
  const apt = (args) => {
    const command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return root ? runs(command[0], command.slice(1)) : runs("sudo", command);
  };
  say("Debian packages: apt-get update");
  if (!apt(["-q", "update"])) stop(`apt-get update failed; type: sudo sh -c '${line}'`);
  if (missing.length === 0) return;
  for (const name of missing) say(`Debian packages: ${name} (${DEBIAN_PACKAGES[name]})`);
  // Daemons come without services started: policy-rc.d is not ours to write, and Ceph's units do
  // nothing without /etc/ceph/ceph.conf.
  if (!apt(["-q", "install", "-y", "--no-install-recommends", ...missing])) {
    stop(`apt-get failed; type: sudo sh -c '${line}'`);
  }
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

function stop(line) {
  console.error(`install: ${line}`);
  process.exit(1);
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  install();
}
