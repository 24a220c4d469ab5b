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
import type { Clock, Timer } from "../../base/index.ts";
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

/** Time that moves when told to; deferred calls run on the real loop. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; fn: () => void }>();

  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(delayMs: number, fn: () => void): Timer {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  every(): Timer {
    throw new RangeError("not used by the messenger");
  }
  defer(fn: () => void): void {
    setImmediate(fn);
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.fn();
    }
  }
}

/** Lets deferred work run until `condition` holds. */
export async function until(condition: () => boolean, turns = 2000): Promise<void> {
  for (let i = 0; i < turns && !condition(); i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (!condition()) throw new Error("what the test waits for did not happen");
}
