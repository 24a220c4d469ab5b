/**
 * What the messenger's tests put in the place of authentication, dispatchers and time.
 */

import {
  type AcceptorStep,
  AUTH_METHOD,
  type AuthInitiator,
  type AuthSecrets,
  type AuthServer,
  CON_MODE,
} from "../../auth/index.ts";
import { ENTITY_TYPE, type IncomingMessage } from "../../types/index.ts";
import type { Connection, Dispatcher } from "../api.ts";

export const FAKE_GLOBAL_ID = 4123n;
const identity = {
  entity: { type: ENTITY_TYPE.CLIENT, id: "admin" },
  globalId: FAKE_GLOBAL_ID,
  caps: {},
};

/** Lets everybody in at once, no key. */
export const noneServer: AuthServer = {
  methods: [AUTH_METHOD.NONE],
  modes: [CON_MODE.SECURE, CON_MODE.CRC],
  accept: () => ({
    next: (): AcceptorStep => ({
      kind: "done",
      blob: new Uint8Array(0),
      identity,
      secrets: { sessionKey: new Uint8Array(0), connectionSecret: new Uint8Array(0) },
    }),
  }),
};

export const noneInitiator: AuthInitiator = {
  method: AUTH_METHOD.NONE,
  modes: [CON_MODE.CRC],
  begin: () =>
    Uint8Array.of(10, 8, 0, 0, 0, 5, 0, 0, 0, 97, 100, 109, 105, 110, 0, 0, 0, 0, 0, 0, 0, 0),
  more: (blob) => blob,
  done: () => ({ sessionKey: new Uint8Array(0), connectionSecret: new Uint8Array(0) }),
};

/** Both ends of a conversation of two rounds that ends in these secrets; other words are refused. */
export function keyed(secrets: AuthSecrets, modes: readonly number[]) {
  const server: AuthServer = {
    methods: [AUTH_METHOD.CEPHX],
    modes,
    accept() {
      let round = 0;
      return {
        next(blob): AcceptorStep {
          if (blob[0] !== 42) return { kind: "bad", errno: -13 };
          if (round++ === 0) return { kind: "more", blob: Uint8Array.of(42) };
          return { kind: "done", blob: Uint8Array.of(1, 2, 3), identity, secrets };
        },
      };
    },
  };
  const initiator = (own: AuthSecrets = secrets, word = 42): AuthInitiator => ({
    method: AUTH_METHOD.CEPHX,
    modes,
    begin: () => Uint8Array.of(word),
    more: (blob) => blob,
    done: () => own,
  });
  return { server, initiator };
}

/** Keeps copies of all it hears. */
export class Recorder implements Dispatcher {
  readonly opened: Connection[] = [];
  readonly messages: IncomingMessage[] = [];
  readonly closed: string[] = [];
  batches = 0;
  onMessageHook: ((connection: Connection, message: IncomingMessage) => void) | undefined;

  onOpen(connection: Connection): void {
    this.opened.push(connection);
  }
  onMessage(connection: Connection, message: IncomingMessage): void {
    this.messages.push({
      ...message,
      front: Buffer.from(message.front),
      middle: Buffer.from(message.middle),
    });
    this.onMessageHook?.(connection, message);
  }
  onBatchEnd(): void {
    this.batches++;
  }
  onClose(_connection: Connection, reason: string): void {
    this.closed.push(reason);
  }
}
