/**
 * One peer of the monitor: who it is, what it may do, what it wants to be told.
 * ceph: src/mon/Session.h
 */

import { type AuthIdentity, type MonCap, type MonCapQuery, parseMonCap } from "../auth/index.ts";
import type { Connection } from "../messenger/index.ts";
import type { MessageType } from "../types/index.ts";
import { formatAuthEntity } from "../types/index.ts";

/** What a session has subscribed to. */
export interface Subscription {
  /** First version not sent yet. */
  next: number;
  readonly onetime: boolean;
}

export class MonSession {
  readonly connection: Connection;
  readonly identity: AuthIdentity;
  /** At most one for each thing there is to subscribe to; names of others are not kept. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The peer's host as it says; "" until it has subscribed. */
  host = "";
  /** Options as last sent, to send them again only when they change. */
  config: string | undefined;
  /** Commands and pool operations not answered yet. */
  running = 0;

  constructor(connection: Connection, identity: AuthIdentity) {
    this.connection = connection;
    this.identity = identity;
  }

  /** The monitor cap; undefined if there is none or it does not parse: then nothing is allowed. */
  get cap(): MonCap | undefined {
    const text = this.identity.caps["mon"];
    return text === undefined ? undefined : parseMonCap(text);
  }

  get addr(): string {
    return this.connection.peerAddr.ip;
  }

  /** Deny is the default. */
  isCapable(query: Omit<MonCapQuery, "addr" | "entity">): boolean {
    const entity = formatAuthEntity(this.identity.entity);
    return this.cap?.isCapable({ ...query, addr: this.addr, entity }) ?? false;
  }

  mayRead(service: string): boolean {
    return this.isCapable({
      service,
      command: "",
      args: {},
      read: true,
      write: false,
      exec: false,
    });
  }

  mayWrite(service: string): boolean {
    return this.isCapable({
      service,
      command: "",
      args: {},
      read: false,
      write: true,
      exec: false,
    });
  }

  send<T>(type: MessageType<T>, message: T, tid = 0): void {
    this.connection.send(type.encode(message, tid));
  }
}
