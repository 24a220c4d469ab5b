/**
 * What a verb of `spirula rados` works with: the connected cluster, the pool, and the words that are its own.
 */

import { CephError, ERRNO, systemClock } from "../../base/index.ts";
import type { Cluster, IoCtx, RequestOptions } from "../../librados/index.ts";
import type { PgId } from "../../types/index.ts";
import {
  CommandFailure,
  cppStrerror,
  errnoOf,
  Output,
  type StructuredFormat,
} from "../client/index.ts";
import { numberOf, type RadosOption, type RadosOptions } from "./options.ts";

/** The pool that the command line names, and where in it. */
export interface ChosenPool {
  /** As it was named. */
  readonly name: string;
  /** With the namespace and the locator that were named. */
  readonly io: IoCtx;
  /** The snapshot that is read; undefined: the head. */
  readonly snap: bigint | undefined;
}

export interface ContextParts {
  readonly cluster: Cluster;
  readonly options: RadosOptions;
  readonly words: readonly string[];
  readonly usage: string;
  readonly pool: ChosenPool | undefined;
  readonly pgid: PgId | undefined;
  readonly format: StructuredFormat | undefined;
  /** What `--obj-name-file` holds. */
  readonly nameFromFile: string | undefined;
  /** What `--omap-key-file` holds. */
  readonly keyFromFile: string | undefined;
}

export class RadosContext {
  readonly cluster: Cluster;
  readonly options: RadosOptions;
  readonly pgid: PgId | undefined;
  readonly format: StructuredFormat | undefined;
  readonly nameFromFile: string | undefined;
  readonly out = new Output();
  readonly #words: string[];
  readonly #usage: string;
  readonly #pool: ChosenPool | undefined;
  #keyFromFile: string | undefined;

  constructor(parts: ContextParts) {
    this.cluster = parts.cluster;
    this.options = parts.options;
    this.pgid = parts.pgid;
    this.format = parts.format;
    this.nameFromFile = parts.nameFromFile;
    this.#keyFromFile = parts.keyFromFile;
    this.#words = [...parts.words];
    this.#usage = parts.usage;
    this.#pool = parts.pool;
  }

  // --- Words --------------------------------------------------------------------------------------

  /** Those that no one has taken yet. */
  get words(): readonly string[] {
    return this.#words;
  }

  /** The next word. @throws CommandFailure if there is none */
  take(): string {
    const word = this.#words.shift();
    if (word === undefined) throw this.usage();
    return word;
  }

  /** The object: of its file, or the next word. */
  takeObject(): string {
    return this.nameFromFile ?? this.take();
  }

  /** The omap's key: of its file, or the next word. */
  takeKey(): string {
    const key = this.#keyFromFile ?? this.take();
    this.#keyFromFile = undefined;
    return key;
  }

  /** Refuses more words than these. @throws CommandFailure */
  expectAtMost(count: number): void {
    if (this.#words.length > count) throw this.usage();
  }

  /** What to throw when the words are not what the verb takes. */
  usage(): CommandFailure {
    return new CommandFailure(this.#usage);
  }

  number(option: RadosOption, unset: number): number {
    return numberOf(this.options, option, unset);
  }

  // --- The pool -----------------------------------------------------------------------------------

  get hasPool(): boolean {
    return this.#pool !== undefined;
  }

  /** @throws CommandFailure if none was named */
  get io(): IoCtx {
    return this.#chosen.io;
  }

  get poolName(): string {
    return this.#chosen.name;
  }

  /** What to read with: the snapshot that was named. */
  get reading(): RequestOptions {
    const { snap } = this.#chosen;
    return snap === undefined ? {} : { snap };
  }

  /** The pool for changes. @throws CephError EROFS if a snapshot was named */
  get writable(): IoCtx {
    const { io, snap, name } = this.#chosen;
    if (snap === undefined) return io;
    throw new CephError(-ERRNO.EROFS, { op: "change a snapshot of", target: name });
  }

  get #chosen(): ChosenPool {
    if (this.#pool === undefined) throw this.usage();
    return this.#pool;
  }
}

/**
 * The end of a command for which the original prints two lines, the second for its result as a whole.
 * @param what `error calling notify`
 */
export function failedTwice(what: string, error: unknown): CommandFailure {
  const errno = errnoOf(error);
  const why = cppStrerror(errno);
  return new CommandFailure(`${what}: ${why}\nerror ${Math.abs(errno)}: ${why}`, 1, error);
}

/** A name in a message. ceph: src/tools/rados/rados.cc prettify */
export function shown(name: string): string {
  return /^[ -~]*$/.test(name) ? name : "(binary key)";
}

/** Now, as times of day are printed. */
export function clockTime(): { readonly sec: number; readonly nsec: number } {
  const ms = systemClock.now();
  return { sec: Math.floor(ms / 1000), nsec: Math.round((ms % 1000) * 1_000_000) };
}
