/**
 * Unix sockets through node:net: a door for this machine's own users, whom the file's mode lets in or not.
 */

import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import { ConfigError } from "../../base/index.ts";
import { SocketLink } from "./socket-link.ts";
import type { Link } from "./transport.ts";

/** Linux has room for no longer path; Node would cut it off without a word.  unix(7): sun_path */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Removes a socket that a process left behind which could not clean up. @throws ConfigError */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new ConfigError(`${path}: something that is no socket is in the way`);
  unlinkSync(path);
}

/**
 * Listens at `path` for the owner alone. The caller knows that nobody else does: what is there is stale. The
 * directory is made if absent.
 * @returns how to stop, which also removes the socket; links that were accepted stay
 * @throws ConfigError if the path is too long, is taken by another kind of file, or can not be made
 */
export function listenUnix(path: string, onLink: (link: Link) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        error instanceof ConfigError
          ? error
          : new ConfigError(`cannot listen on ${path}: ${error.message}`, error),
      );
    const bytes = Buffer.byteLength(path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      const most = `${SOCKET_PATH_BYTES_MAX} bytes are the most`;
      return fail(new ConfigError(`${path}: too long a path for a socket (${bytes}; ${most})`));
    }
    const server = net.createServer({ pauseOnConnect: true }, (socket) => {
      // An error before the link is started has nobody to tell; the socket closes by itself.
      socket.on("error", () => socket.destroy());
      onLink(new SocketLink(socket));
    });
    // Later ones are of a peer that could not be accepted, for want of file descriptors or memory: it tries again.
    server.on("error", fail);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      removeStale(path);
      server.listen({ path }, () => {
        try {
          chmodSync(path, 0o600);
        } catch (error) {
          server.close();
          return fail(error as Error);
        }
        resolve(() => void server.close());
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}
