/**
 * The monitor's port before there is a monitor. The port is taken first, so that a start that can not have
 * it touches nothing; the monitor must know the port before it can write its map. Peers that come in
 * between are turned away and try again.
 */

import type { AuthAcceptor, AuthServer } from "../auth/index.ts";
import { type Clock, ERRNO, type Logger, type Random } from "../base/index.ts";
import { type Connection, type Dispatcher, Messenger, type Transport } from "../messenger/index.ts";
import { ENTITY_TYPE, type IncomingMessage } from "../types/index.ts";

const TURNED_AWAY: AuthAcceptor = { next: () => ({ kind: "bad", errno: -ERRNO.EAGAIN }) };

export class MonPort implements AuthServer, Dispatcher {
  readonly messenger: Messenger;
  #auth: AuthServer | undefined;
  #dispatcher: Dispatcher | undefined;

  constructor(around: { clock: Clock; random: Random; log: Logger; transport: Transport }) {
    this.messenger = new Messenger({
      name: { type: ENTITY_TYPE.MON, num: 0n },
      transport: around.transport,
      clock: around.clock,
      random: around.random,
      log: around.log.child("mon.a"),
      dispatcher: this,
      auth: this,
    });
  }

  /** The monitor is there. */
  open(auth: AuthServer, dispatcher: Dispatcher): void {
    this.#auth = auth;
    this.#dispatcher = dispatcher;
  }

  get methods(): readonly number[] {
    return this.#auth?.methods ?? [];
  }

  get modes(): readonly number[] {
    return this.#auth?.modes ?? [];
  }

  accept(method: number, mode: number): AuthAcceptor {
    return this.#auth?.accept(method, mode) ?? TURNED_AWAY;
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
