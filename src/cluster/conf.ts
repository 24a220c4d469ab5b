/**
 * The files that unmodified clients read: ceph.conf and the administrator's keyring.
 */

import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../base/index.ts";
import { adminSocketPath } from "./admin-sockets.ts";
import { type DataDirectory, replaceFile } from "./data-dir.ts";

export interface ConfFacts {
  readonly fsid: string;
  /** `v2:127.0.0.1:3300` */
  readonly monHost: string;
  readonly auth: "cephx" | "none";
  /** Where keyrings are looked for: `<directory>/ceph.client.<id>.keyring`. */
  readonly directory: string;
}

/** As the value of a setting: what would begin a comment is escaped. */
function valueOf(path: string): string {
  return path.replaceAll(/[#;\\]/g, "\\$&");
}

export function formatConf(facts: ConfFacts): string {
  const path = valueOf(adminSocketPath(facts.directory, "$name"));
  // Not for clients: each would make one there.
  const sockets = ["mon", "mgr", "osd"]
    .map((type) => `[${type}]\nadmin socket = ${path}\n`)
    .join("\n");
  return `# For Ceph clients. Written by 'spirula start' at every start.
[global]
fsid = ${facts.fsid}
mon host = [${facts.monHost}]
auth cluster required = ${facts.auth}
auth service required = ${facts.auth}
auth client required = ${facts.auth}

${sockets}
[client]
keyring = ${valueOf(join(facts.directory, "$cluster.$name.keyring"))}
`;
}

export const CONF_FILE = "ceph.conf";
export const KEYRING_FILE = "ceph.client.admin.keyring";

/** @returns the path of ceph.conf */
export async function writeClientFiles(
  directory: Pick<DataDirectory, "path" | "replaceFile">,
  facts: Omit<ConfFacts, "directory">,
  keyring: string,
): Promise<string> {
  await directory.replaceFile(KEYRING_FILE, keyring, 0o600);
  const conf = formatConf({ ...facts, directory: directory.path });
  await directory.replaceFile(CONF_FILE, conf, 0o644);
  return join(directory.path, CONF_FILE);
}

/**
 * Puts both files under `/etc/ceph` where none stand.
 * @returns a line for each file: written, or left alone
 * @throws ConfigError if the directory can not be written
 */
export async function installConf(
  cluster: { readonly dataDir: string },
  etc: string = "/etc/ceph",
): Promise<string[]> {
  const lines: string[] = [];
  try {
    await mkdir(etc, { recursive: true });
    for (const [name, mode] of [
      [CONF_FILE, 0o644],
      [KEYRING_FILE, 0o600],
    ] as const) {
      const target = join(etc, name);
      if (existsSync(target)) {
        lines.push(`${target} stands already: left alone`);
        continue;
      }
      await replaceFile(target, await readFile(join(cluster.dataDir, name), "utf8"), mode);
      lines.push(`wrote ${target}`);
    }
  } catch (error) {
    throw new ConfigError(`${etc}: ${(error as Error).message}; run without --install-conf`, error);
  }
  return lines;
}
