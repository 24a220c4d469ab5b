/**
 * Commands: words by name that a daemon takes as JSON, and what it answers. Which daemon is asked how is told
 * by `MgrClient`, `OsdCommands` and `MonTells`; what they have in common is here.
 */

import { CephError, type Clock, ERRNO, type PyJson, pythonJson } from "../base/index.ts";
import { byteString, EMPTY, textOf } from "../encoding/index.ts";
import { MCommandReply, MMgrCommandReply } from "../messages/index.ts";
import type { IncomingMessage } from "../types/index.ts";
import { type CallOptions, type Subject, watchLimits } from "./limits.ts";
import { closedError } from "./mon-client.ts";

/** A command's words by name, `prefix` first of all. Floats that may be whole are `PyFloat`: daemons tell them apart. */
export type CommandArgs = Readonly<Record<string, unknown>>;

export interface CommandOptions extends CallOptions {
  /** What the command reads: `ceph … -i FILE`. @default nothing */
  readonly input?: Uint8Array | undefined;
}

export interface CommandResult {
  /** Negative errno, or 0, or what the command counts. */
  readonly result: number;
  /** A line for the user. */
  readonly status: string;
  readonly data: Uint8Array;
}

/** A command as messages carry it. */
export interface CommandWords {
  /** One byte string: JSON in UTF-8. */
  readonly cmd: string[];
  readonly data: Uint8Array;
}

/** As `ceph` sends them. */
export function commandWords(args: CommandArgs, input: Uint8Array = EMPTY): CommandWords {
  const given = Object.entries(args).filter(([, word]) => word !== undefined);
  const words = Object.fromEntries(given) as PyJson;
  return { cmd: [byteString(pythonJson(words))], data: input };
}

/** @param to who is asked, for errors */
export function commandSubject(args: CommandArgs, to: string): Subject {
  const prefix = args["prefix"];
  return { op: `command ${typeof prefix === "string" ? prefix : ""}`, target: to };
}

/** The answer to MCommand or MMgrCommand; undefined for another message. */
export function commandResult(message: IncomingMessage): CommandResult | undefined {
  if (message.type !== MCommandReply.type && message.type !== MMgrCommandReply.type) {
    return undefined;
  }
  const reply = message.type === MCommandReply.type ? MCommandReply : MMgrCommandReply;
  const { r, rs, data } = reply.decode(message);
  return { result: r, status: textOf(rs), data };
}

interface Waiting {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (reason: unknown) => void;
  release: (() => void) | undefined;
}

/** Commands without an answer yet, by transaction id, with what their owner knows of each. */
export class PendingCommands<T> {
  readonly #clock: Clock;
  readonly #defaultMs: number;
  readonly #waiting = new Map<number, Waiting & { readonly about: T }>();
  #tid = 0;
  #isClosed = false;

  /** @param defaultMs time-out of those that say none, milliseconds; 0: never */
  constructor(clock: Clock, defaultMs: number) {
    this.#clock = clock;
    this.#defaultMs = defaultMs;
  }

  /** @param begin told the new command's id, to send it */
  add(
    about: T,
    subject: Subject,
    limits: CallOptions,
    begin: (tid: number) => void,
  ): Promise<CommandResult> {
    if (this.#isClosed) return Promise.reject(closedError());
    const { signal, timeoutMs = this.#defaultMs } = limits;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const tid = ++this.#tid;
    return new Promise((resolve, reject) => {
      const release = watchLimits(
        this.#clock,
        { signal, timeoutMs },
        () => subject,
        (reason) => this.fail(tid, reason),
      );
      this.#waiting.set(tid, { about, resolve, reject, release });
      begin(tid);
    });
  }

  /** In the order in which they were given. */
  *[Symbol.iterator](): Generator<[tid: number, about: T]> {
    for (const [tid, { about }] of this.#waiting) yield [tid, about];
  }

  get size(): number {
    return this.#waiting.size;
  }

  get(tid: number): T | undefined {
    return this.#waiting.get(tid)?.about;
  }

  finish(tid: number, result: CommandResult): void {
    this.#take(tid)?.resolve(result);
  }

  fail(tid: number, reason: unknown): void {
    this.#take(tid)?.reject(reason);
  }

  /** All fail with ESHUTDOWN. */
  close(): void {
    this.#isClosed = true;
    for (const tid of this.#waiting.keys()) this.fail(tid, closedError());
  }

  #take(tid: number): Waiting | undefined {
    const found = this.#waiting.get(tid);
    this.#waiting.delete(tid);
    found?.release?.();
    return found;
  }
}

/** There is no such daemon, or it is down. */
export function unreachable(errno: "ENOENT" | "ENXIO", subject: Subject): CephError {
  return new CephError(-ERRNO[errno], subject);
}
