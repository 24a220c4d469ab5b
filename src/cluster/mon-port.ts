/**
 * The monitor's port before there is a monitor. The port is taken first, so that a start that can not have
 * it touches nothing; the monitor must know the port before it can write its map.
 *
 * Peers that connect in between are kept waiting, not turned away: a client that is refused by its last
 * monitor gives up for good, and one that restarts with us would be lost.
 */

import type { AuthAcceptor, AuthServer } from "../auth/index.ts";
import { type Clock, type Logger, must, type Random } from "../base/index.ts";
import {
  type Connection,
  type Dispatcher,
  type Link,
  Messenger,
  type Transport,
} from "../messenger/index.ts";
import { ENTITY_TYPE, type IncomingMessage } from "../types/index.ts";

/** Peers kept waiting; more are dropped and try again. */
const WAITING_MAX = 1024;

export class MonPort implements AuthServer, Dispatcher {
  readonly messenger: Messenger;
  #auth: AuthServer | undefined;
  #dispatcher: Dispatcher | undefined;
  #waiting: (() => void)[] = [];

  constructor(around: { clock: Clock; random: Random; log: Logger; transport: Transport }) {
    const { transport } = around;
    this.messenger = new Messenger({
      name: { type: ENTITY_TYPE.MON, num: 0n },
      transport: {
        connect: (endpoint, signal) => transport.connect(endpoint, signal),
        listen: (endpoint, onLink) =>
          transport.listen(endpoint, (link) => this.#admit(link, onLink)),
      },
      clock: around.clock,
      random: around.random,
      log: around.log.child("mon.a"),
      dispatcher: this,
      auth: this,
    });
  }

  /** The monitor is there: who waits is let in. */
  open(auth: AuthServer, dispatcher: Dispatcher): void {
    this.#auth = auth;
    this.#dispatcher = dispatcher;
    for (const admit of this.#waiting) admit();
    this.#waiting = [];
  }

  #admit(link: Link, onLink: (link: Link) => void): void {
    if (this.#auth !== undefined) onLink(link);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(() => onLink(link));
    else link.destroy("too many peers before the monitor is there");
  }

  get #open(): AuthServer {
    return must(this.#auth, "a monitor behind its port");
  }

  get methods(): readonly number[] {
    return this.#open.methods;
  }

  get modes(): readonly number[] {
    return this.#open.modes;
  }

  accept(method: number, mode: number): AuthAcceptor {
    return this.#open.accept(method, mode);
  }

  onOpen(connection: Connection): void {
    this.#dispatcher?.onOpen(connection);
  }

  onMessage(connection: Connection, message: IncomingMessage): void {
    this.#dispatcher?.onMessage(connection, message);
  }

  onClose(connection: Connection, reason: string): void {
    this.#dispatcher?.onClose(connection, reason);
  }
}
