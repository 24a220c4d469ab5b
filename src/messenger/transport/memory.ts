/**
 * A network inside the process, for tests and simulation: hosts, listeners, links with a delay, cuts.
 *
 * Everything happens on the clock it is given, so a virtual clock and a seed replay a run. Bytes arrive in
 * order; a chunk's delay is asked for when it is written. What was written before a close still arrives;
 * a cut loses it.
 */

import { CephError, type Clock, ConfigError, ERRNO } from "../../base/index.ts";
import type { Endpoint, Link, Listener, Receiver, Transport } from "./transport.ts";

export interface MemoryNetworkHooks {
  /** Milliseconds `bytes` take from one end to the other. @default 0 */
  delayMs?: (from: Endpoint, to: Endpoint, bytes: number) => number;
  /** True refuses a new connection. @default never */
  refuse?: (from: Endpoint, to: Endpoint) => boolean;
}

const EPHEMERAL_PORT_MIN = 40_000;

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.host}:${endpoint.port}`;
}

/** One end of a link. */
class MemoryLink implements Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  peer: MemoryLink | undefined;
  readonly #network: MemoryNetwork;
  #receiver: Receiver | undefined;
  #inbox: Uint8Array[] = [];
  #isPaused = false;
  #isPumpDue = false;
  /** Set when the end of the stream has arrived: told once the inbox is empty. */
  #endReason: string | undefined;
  #isClosed = false;
  /** Why it was closed before it was started. */
  #lostReason: string | undefined;
  /** Bytes written here and not yet taken by the peer's receiver. */
  queuedBytes = 0;
  takenBytes = 0;
  /** What is on its way from here, in order. */
  readonly #underWay: (() => void)[] = [];
  /** When the last bytes sent from here arrive: nothing overtakes them. */
  #lastArrivalMs = 0;

  constructor(network: MemoryNetwork, local: Endpoint, remote: Endpoint) {
    this.#network = network;
    this.local = local;
    this.remote = remote;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    const reason = this.#lostReason;
    if (reason === undefined) this.#schedulePump();
    else this.#network.clock.defer(() => receiver.closed(reason));
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): void {
    if (this.#isClosed) {
      taken?.();
      return;
    }
    // Like a kernel's, a copy: what the sender then does with its memory is its own business.
    const copies = chunks.map((chunk) => Uint8Array.from(chunk));
    let bytes = 0;
    for (const chunk of copies) bytes += chunk.length;
    this.queuedBytes += bytes;
    this.#arriveLater(bytes, () => this.peer?.arrive(copies));
    if (taken !== undefined) this.#network.clock.defer(taken);
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedulePump();
  }

  destroy(reason: string): void {
    if (this.#isClosed) return;
    this.#arriveLater(0, () => this.peer?.end("closed by peer"));
    this.lose(reason);
  }

  /** Closes this end without a word to the other. */
  lose(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox = [];
    this.#network.forget(this);
    // Whoever has not started the link yet is told when it does.
    const receiver = this.#receiver;
    if (receiver === undefined) this.#lostReason = reason;
    else this.#network.clock.defer(() => receiver.closed(reason));
  }

  arrive(chunks: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    this.#inbox.push(...chunks);
    this.#pump();
  }

  end(reason: string): void {
    this.#endReason = reason;
    this.#pump();
  }

  /** The peer's receiver has taken `count` bytes that were written here. */
  taken(count: number): void {
    this.queuedBytes -= count;
    this.takenBytes += count;
    if (this.queuedBytes === 0 && !this.#isClosed) this.#receiver?.drained();
  }

  #arriveLater(bytes: number, fn: () => void): void {
    const { clock, hooks } = this.#network;
    const now = clock.monotonic();
    const delay = hooks.delayMs?.(this.local, this.remote, bytes) ?? 0;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, now + delay);
    // Whichever timer fires first (sums of times are not exact), what was sent first arrives first.
    this.#underWay.push(fn);
    const arrive = () => this.#underWay.shift()?.();
    // Timers of the same moment fire in order, but a deferred call could overtake a timer.
    if (hooks.delayMs === undefined) clock.defer(arrive);
    else clock.after(this.#lastArrivalMs - now, arrive);
  }

  #schedulePump(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    this.#network.clock.defer(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    while (!this.#isClosed && !this.#isPaused) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      const target = receiver.target();
      const count = Math.min(target.length, chunk.length);
      target.set(chunk.subarray(0, count));
      if (count < chunk.length) this.#inbox.unshift(chunk.subarray(count));
      if (count > 0 && !receiver.received(count)) this.#isPaused = true;
      this.peer?.taken(count);
    }
    if (this.#endReason !== undefined && this.#inbox.length === 0) this.lose(this.#endReason);
  }
}

export class MemoryNetwork {
  readonly clock: Clock;
  readonly hooks: MemoryNetworkHooks;
  readonly #listeners = new Map<string, (link: Link) => void>();
  readonly #links = new Set<MemoryLink>();
  #lastPort = EPHEMERAL_PORT_MIN;

  constructor(clock: Clock, hooks: MemoryNetworkHooks = {}) {
    this.clock = clock;
    this.hooks = hooks;
  }

  /** The network as one host sees it. */
  transport(host: string): Transport {
    return {
      listen: (endpoint, onLink) => this.#listen(endpoint, onLink),
      connect: (endpoint) => this.#connect({ host, port: ++this.#lastPort }, endpoint),
    };
  }

  /** Breaks every link that `matches`, losing what is under way. @returns how many */
  cut(matches: (a: Endpoint, b: Endpoint) => boolean, reason = "network cut"): number {
    let count = 0;
    for (const link of this.#links) {
      if (!matches(link.local, link.remote)) continue;
      link.lose(reason);
      link.peer?.lose(reason);
      count++;
    }
    return count;
  }

  forget(link: MemoryLink): void {
    this.#links.delete(link);
  }

  #listen(endpoint: Endpoint, onLink: (link: Link) => void): Promise<Listener> {
    const bound = { host: endpoint.host, port: endpoint.port || ++this.#lastPort };
    const key = keyOf(bound);
    if (this.#listeners.has(key)) {
      return Promise.reject(new ConfigError(`cannot listen on ${key}: in use`));
    }
    this.#listeners.set(key, onLink);
    return Promise.resolve({
      endpoint: bound,
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  #connect(from: Endpoint, to: Endpoint): Promise<Link> {
    const onLink = this.#listeners.get(keyOf(to));
    if (onLink === undefined || this.hooks.refuse?.(from, to) === true) {
      const target = keyOf(to);
      return Promise.reject(new CephError(-ERRNO.ECONNREFUSED, { op: "connect to", target }));
    }
    const near = new MemoryLink(this, from, to);
    const far = new MemoryLink(this, to, from);
    near.peer = far;
    far.peer = near;
    this.#links.add(near).add(far);
    this.clock.defer(() => onLink(far));
    return Promise.resolve(near);
  }
}
