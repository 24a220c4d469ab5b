/**
 * A link over a socket of node:net.
 *
 * Node can read straight into memory of ours (`onread`), but offers that to clients only. `adopt` moves a
 * connected handle, accepted or dialled, to a socket made with it, so that payloads are received where
 * they stay; where the handle cannot be moved (other runtimes), 'data' events and a copy do. The two differ
 * in speed only.
 */

import net from "node:net";
import type { Endpoint, Link, Receiver } from "./transport.ts";

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

/** The socket is paused, and belongs to the link from here on. */
export class SocketLink implements Link {
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
