// Files of a checkout of Ceph, a work tree or a bare git directory, as they are there.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** Longest archive of files taken out of a git directory, in bytes. */
const ARCHIVE_MAX = 1 << 28;

/**
 * Puts files or folders of a checkout below `target`, under their own paths.
 * @param {{ ceph: string, branch: string }} from `branch` counts for a git directory without a work tree
 * @param {string[]} paths
 */
export function takeFrom({ ceph, branch }, paths, target) {
  mkdirSync(target, { recursive: true });
  if (paths.every((path) => existsSync(join(ceph, path)))) {
    for (const path of paths) {
      mkdirSync(dirname(join(target, path)), { recursive: true });
      cpSync(join(ceph, path), join(target, path), { recursive: true });
    }
    return;
  }
  const archive = spawnSync("git", ["-C", ceph, "archive", branch, ...paths], {
    maxBuffer: ARCHIVE_MAX,
  });
  const why = archive.error?.message ?? archive.stderr.toString("utf8").trim();
  if (archive.status !== 0) {
    throw new Error(`neither ${ceph} nor its branch ${branch} has ${paths.join(", ")}: ${why}`);
  }
  const tar = spawnSync("tar", ["-x", "-C", target], { input: archive.stdout });
  if (tar.status !== 0) throw new Error(`tar: ${tar.stderr.toString("utf8")}`);
}
