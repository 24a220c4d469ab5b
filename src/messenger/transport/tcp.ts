/**
 * TCP through node:net.
 */

import net from "node:net";
import { ConfigError } from "../../base/index.ts";
import { SILENCE_MS } from "../limits.ts";
import { SocketLink } from "./socket-link.ts";
import type { Endpoint, Link, Listener, Transport } from "./transport.ts";

/** Connections the kernel may hold for us before we accept them. */
const BACKLOG = 511;

function listen(endpoint: Endpoint, onLink: (link: Link) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: SILENCE_MS };
    const server = net.createServer(
      { pauseOnConnect: true, noDelay: true, ...keepAlive },
      (socket) => {
        // An error before the link is started has nobody to tell; the socket closes by itself.
        socket.on("error", () => socket.destroy());
        onLink(new SocketLink(socket));
      },
    );
    // Later ones are of a peer that could not be accepted, for want of file descriptors or memory: it tries again.
    server.on("error", (error) => {
      const where = `${endpoint.host}:${endpoint.port}`;
      reject(new ConfigError(`cannot listen on ${where}: ${error.message}`, error));
    });
    server.listen({ host: endpoint.host, port: endpoint.port, backlog: BACKLOG }, () => {
      const address = server.address() as net.AddressInfo;
      resolve({
        endpoint: { host: endpoint.host, port: address.port },
        // Not waiting for the links: those that read by events still count as the server's.
        close: () => {
          server.close();
          return Promise.resolve();
        },
      });
    });
  });
}

function connect(endpoint: Endpoint, signal?: AbortSignal): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new net.Socket();
    const fail = (error: Error) => {
      signal?.removeEventListener("abort", giveUp);
      reject(error);
    };
    const giveUp = () => {
      socket.destroy();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    // Nothing may be read before the link is started with a receiver.
    socket.pause();
    socket.once("error", fail);
    socket.connect({ host: endpoint.host, port: endpoint.port }, () => {
      // The options of the same names are heeded by `net.connect` only.
      socket.setNoDelay(true);
      socket.setKeepAlive(true, SILENCE_MS);
      signal?.removeEventListener("abort", giveUp);
      socket.off("error", fail);
      socket.on("error", () => socket.destroy());
      resolve(new SocketLink(socket));
    });
  });
}

export const tcpTransport: Transport = { listen, connect };
