/**
 * Where the daemons' admin sockets are, `<data>/run/<daemon>.asok`, and how one is opened. A daemon that cannot
 * have one goes without it.
 */

import { join } from "node:path";
import { ConfigError } from "../base/index.ts";
import { AdminSocket, type AdminSocketOptions, listenUnix } from "../messenger/index.ts";

/** Opens a daemon's admin socket. Returns how to close and remove it. */
export type OpenAdminSocket = (path: string, options: AdminSocketOptions) => Promise<() => void>;

/** @param daemon `mon.a`, or `$name` for what ceph.conf says of all of them */
export function adminSocketPath(directory: string, daemon: string): string {
  return join(directory, "run", `${daemon}.asok`);
}

/** In the real file system. What it cannot do it tells the log, once. */
export async function openAdminSocket(
  path: string,
  options: AdminSocketOptions,
): Promise<() => void> {
  const socket = new AdminSocket(options);
  try {
    const stop = await listenUnix(path, (link) => socket.accept(link));
    return () => {
      stop();
      socket.close();
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    options.log.warn("no admin socket", { why: error.message });
    return () => undefined;
  }
}
