/**
 * TCP through node:net.
 *
 * Node can read straight into memory of ours (`onread`), but offers that to clients only. `adopt` moves a
 * connected handle, accepted or dialled, to a socket made with it, so that payloads are received where
 * they stay; where the handle cannot be moved (other runtimes), 'data' events and a copy do. The two differ
 * in speed only.
 */

import net from "node:net";
import { ConfigError } from "../../base/index.ts";
import type { Endpoint, Link, Listener, Receiver, Transport } from "./transport.ts";

/** Connections the kernel may hold for us before we accept them. */
const BACKLOG = 511;

/** IPv4 peers of a dual-stack listener show as ::ffff:a.b.c.d. */
function endpointOf(host: string | undefined, port: number | undefined): Endpoint {
  const ip = host ?? "";
  return { host: ip.startsWith("::ffff:") && ip.includes(".") ? ip.slice(7) : ip, port: port ?? 0 };
}

/** What of node:net's inside we rely on: the handle, which a new socket can be given. */
interface Inside {
  _handle: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/**
 * Starts reading a paused socket into the receiver's targets.
 * @returns the socket to go on with
 */
function adopt(socket: net.Socket, receiver: Receiver): net.Socket {
  const handle = (socket as unknown as Inside)._handle;
  const isNode = process.versions["bun"] === undefined;
  if (!isNode || handle === null || handle === undefined) return readByEvents(socket, receiver);
  const options = {
    handle,
    onread: {
      buffer: () => receiver.target(),
      callback: (count: number) => receiver.received(count),
    },
  };
  const adopted = new net.Socket(options as net.SocketConstructorOpts);
  (socket as unknown as Inside)._handle = null;
  // Without its handle the old socket is an empty shell; this takes it off its server's count.
  socket.destroy();
  adopted.read(0);
  return adopted;
}

function readByEvents(socket: net.Socket, receiver: Receiver): net.Socket {
  socket.on("data", (chunk: Buffer) => {
    let goOn = true;
    for (let at = 0; at < chunk.length; ) {
      const target = receiver.target();
      const count = Math.min(target.length, chunk.length - at);
      target.set(chunk.subarray(at, at + count));
      at += count;
      goOn = receiver.received(count);
    }
    if (!goOn) socket.pause();
  });
  socket.resume();
  return socket;
}

class TcpLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  #socket: net.Socket;
  #receiver: Receiver | undefined;
  #reason: string | undefined;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.local = endpointOf(socket.localAddress, socket.localPort);
    this.remote = endpointOf(socket.remoteAddress, socket.remotePort);
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Of a large chunk too, as the kernel takes it; without the handle, once it has all of it. */
  get takenBytes(): number {
    const { bytesWritten, writeQueueSize } = (this.#socket as unknown as Inside)._handle ?? {};
    return bytesWritten === undefined || writeQueueSize === undefined
      ? this.#socket.bytesWritten - this.#socket.writableLength
      : bytesWritten - writeQueueSize;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    if (this.#socket.destroyed) {
      queueMicrotask(() => receiver.closed("closed by peer"));
      return;
    }
    const socket = adopt(this.#socket, receiver);
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#reason ??= error.message;
    });
    socket.on("close", () => receiver.closed(this.#reason ?? "closed by peer"));
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): void {
    const socket = this.#socket;
    if (socket.destroyed || chunks.length === 0) {
      taken?.();
      return;
    }
    socket.cork();
    const last = chunks.length - 1;
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    socket.write(chunks[last]!, (error) => {
      taken?.();
      if (!error) this.#receiver?.drained();
    });
    socket.uncork();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(reason: string): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }
}

function listen(endpoint: Endpoint, onLink: (link: Link) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      // An error before the link is started has nobody to tell; the socket closes by itself.
      socket.on("error", () => socket.destroy());
      onLink(new TcpLink(socket));
    });
    server.once("error", (error) => {
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

function connect(endpoint: Endpoint): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new net.Socket();
    // Nothing may be read before the link is started with a receiver.
    socket.pause();
    socket.once("error", reject);
    socket.connect({ host: endpoint.host, port: endpoint.port }, () => {
      // The option of the same name is heeded by `net.connect` only.
      socket.setNoDelay(true);
      socket.off("error", reject);
      socket.on("error", () => socket.destroy());
      resolve(new TcpLink(socket));
    });
  });
}

export const tcpTransport: Transport = { listen, connect };
