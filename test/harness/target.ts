/**
 * The cluster that an end-to-end test speaks to: ours, or with SPIRULA_TARGET=ceph a real one-OSD Ceph.
 * A test that passes on the real one says what a real cluster does; only then is it worth passing on ours.
 * SPIRULA_RELEASE=trixie or testing has the real one's daemons from another release of Debian, and
 * SPIRULA_CLIENTS=trixie or testing the clients of those tests that run them by `clientsOfRelease`.
 */
import { join } from "node:path";
import { commandIn, releaseRoot } from "./debian-root.ts";
import { dropRealCeph, startRealCeph } from "./real-ceph.ts";
import { requireBuild, startSpirula } from "./spirula.ts";

export interface Target {
  confPath: string;
  /** What the server printed, for the message of a failed comparison. */
  output: () => string;
  stop: () => Promise<void>;
}

export interface TargetOptions {
  /** @default 1 */
  osds?: number;
  /** Connections that are not encrypted are refused. @default false */
  requireSecure?: boolean;
}

/** Starts the cluster below `dir`. */
export async function startTarget(dir: string, options: TargetOptions = {}): Promise<Target> {
  const path = join(dir, "data");
  if (process.env["SPIRULA_TARGET"] === "ceph") {
    const root = await rootOf("SPIRULA_RELEASE");
    const cluster = await startRealCeph({ ...options, dir: path, root });
    return {
      confPath: cluster.confPath,
      output: () => "a real cluster",
      stop: () => dropRealCeph(path),
    };
  }
  requireBuild();
  const server = await startSpirula({
    dir: path,
    ...(options.osds === undefined ? {} : { osds: options.osds }),
    args: options.requireSecure === true ? ["--require-secure"] : [],
  });
  return {
    confPath: server.confPath,
    output: server.output,
    stop: async () => {
      await server.stop();
    },
  };
}

/** Makes of a command line one for the clients of SPIRULA_CLIENTS, which see the files below `dir`. */
export async function clientsOfRelease(dir: string): Promise<(command: string) => string> {
  return commandIn(await rootOf("SPIRULA_CLIENTS"), dir, dir);
}

async function rootOf(variable: string): Promise<string | undefined> {
  const release = process.env[variable];
  return release === undefined ? undefined : releaseRoot(release, console.log);
}
