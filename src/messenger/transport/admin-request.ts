/**
 * One request to a daemon's admin socket: the bytes and a zero; the answer is a length and so many bytes.
 * ceph: src/pybind/ceph_daemon.py admin_socket, src/common/admin_socket.cc
 */

import { createConnection } from "node:net";

const LENGTH_BYTES = 4;

/**
 * @param path of a Unix socket
 * @throws NodeJS.ErrnoException if there is no daemon behind it; Error if it hangs up before it has answered
 */
export async function askAdminSocket(path: string, request: string): Promise<Buffer> {
  const socket = createConnection({ path });
  try {
    // Not ended: daemons take a half-closed socket for one that has hung up.
    socket.write(`${request}\0`);
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of socket as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length < LENGTH_BYTES) continue;
      const all = Buffer.concat(pieces);
      pieces.splice(0, pieces.length, all);
      const end = LENGTH_BYTES + all.readUInt32BE(0);
      if (length >= end) return all.subarray(LENGTH_BYTES, end);
    }
    if (length < LENGTH_BYTES) throw new Error("no data returned from admin socket");
    throw new Error("the daemon hung up in the middle of its answer");
  } finally {
    socket.destroy();
  }
}
