/**
 * Rotating secrets: what tickets are sealed under, three per service at any time (previous, current, next).
 *
 * A ticket is sealed under the current secret and can be opened until two more rotations have passed, so it
 * outlives its validity, and "next" is known everywhere before it is used. Ids only grow. The whole
 * state is one small value: the monitor keeps it across restarts and hands it to workers.
 * ceph: src/auth/Auth.h (RotatingSecrets), src/auth/cephx/CephxKeyServer.cc
 */

import { type Clock, must, type Random, type Timer } from "../../base/index.ts";
import {
  bytes,
  decodeFromBytes,
  encodeToBytes,
  f64,
  type Infer,
  list,
  map,
  nameBytes,
  since,
  str,
  struct,
  u32,
  u64n,
} from "../../encoding/index.ts";
import { type AuthEntity, ENTITY_TYPE, formatAuthEntity } from "../../types/index.ts";
import { TICKET_SERVICES } from "./protocol.ts";

/** Bytes of a secret: an AES-256 key, whatever clients' keys are, for only we read tickets. */
export const ROTATING_SECRET_LEN = 32;
/** previous, current, next.  ceph: src/auth/Auth.h KEY_ROTATE_NUM */
const KEEP = 3;
/** auth_mon_ticket_ttl: how long an AUTH ticket is good. */
export const AUTH_TICKET_TTL_MS = 72 * 3600 * 1000;
/** auth_service_ticket_ttl: how long a service ticket is good. */
export const SERVICE_TICKET_TTL_MS = 3600 * 1000;
/** How often the clock is looked at.  ceph: mon_tick_interval is 5 s; nothing here is that urgent. */
const CHECK_PERIOD_MS = 60 * 1000;

/** One secret and when tickets stop being sealed under it (milliseconds since 1970). */
const Secret = struct(
  "spirula rotating secret",
  { v: 1 },
  { id: u64n, key: bytes(ROTATING_SECRET_LEN), expiresMs: f64 },
);
type Secret = Infer<typeof Secret>;

/** Our own format, kept by the monitor. Version 2 has those whose keys are gone. */
const State = struct(
  "spirula rotating secrets",
  { v: 2 },
  {
    services: map(u32, list(Secret)),
    idMax: u64n,
    revoked: since(2, map(str, f64), new Map<string, number>()),
  },
);

/** What a reader of tickets needs. */
export interface SecretLookup {
  /** The key that `id` names for a service; undefined once it has been rotated out. */
  find(service: number, id: bigint): Uint8Array | undefined;
  /** Has the entity lost its key at `sinceMs` (milliseconds since 1970) or later? */
  isRevoked(entity: AuthEntity, sinceMs: number): boolean;
}

/** What an issuer of tickets needs. */
export interface IssuingSecret {
  readonly id: bigint;
  readonly key: Uint8Array;
  /** How long a ticket sealed now may be valid, milliseconds. */
  readonly ttlMs: number;
}

export interface RotatingSecretsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What `encode` gave before a restart, or in another thread. Undecodable: DecodeError. */
  readonly state?: Uint8Array;
  /**
   * How long a ticket of a service is good; asked for each ticket and each rotation.
   * @default 72 hours for AUTH, 1 hour for the others
   */
  readonly ttlMs?: (service: number) => number;
}

/** What upstream's monitor does unless it is told. */
function defaultTtlMs(service: number): number {
  return service === ENTITY_TYPE.AUTH ? AUTH_TICKET_TTL_MS : SERVICE_TICKET_TTL_MS;
}

/** A byte string, as the state has it. */
function nameOf(entity: AuthEntity): string {
  return nameBytes(formatAuthEntity(entity));
}

export class RotatingSecrets implements SecretLookup {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ttlMs: (service: number) => number;
  readonly #listeners = new Set<(state: Uint8Array) => void>();
  #services = new Map<number, Secret[]>();
  #idMax = 0;
  /** When an entity (its name's bytes) lost its key, milliseconds since 1970. */
  #revoked = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: RotatingSecretsOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#ttlMs = options.ttlMs ?? defaultTtlMs;
    if (options.state !== undefined) this.load(options.state);
  }

  /** Takes the state of the instance that rotates: for workers, and after a restart. */
  load(state: Uint8Array): void {
    // Copied, so that keys do not hang on to the caller's buffer.
    const { services, idMax, revoked } = decodeFromBytes(State, Uint8Array.from(state));
    this.#services = services;
    this.#idMax = idMax;
    this.#revoked = revoked;
  }

  /** The state, for `load` or `options.state`. Secret: keep it where keys are kept. */
  encode(): Uint8Array {
    return encodeToBytes(State, {
      services: this.#services,
      idMax: this.#idMax,
      revoked: this.#revoked,
    });
  }

  /** Calls `listener` with the new state after each rotation and revocation. Returns how to stop. */
  onRotate(listener: (state: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Rotates on time from now on. Only the monitor's instance does; workers `load`. A ttl that was lowered
   * since the secrets were made holds from here: no client's session is older than its monitor.
   */
  start(): void {
    for (const [service, secrets] of this.#services) this.#shorten(service, secrets);
    this.check();
    this.#timer ??= this.#clock.every(CHECK_PERIOD_MS, () => void this.check());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Makes the secrets that are due. True if there were any. */
  check(): boolean {
    let added = this.#rotate(ENTITY_TYPE.AUTH);
    for (const service of TICKET_SERVICES) added = this.#rotate(service) || added;
    if (added) this.#tell();
    return added;
  }

  #tell(): void {
    if (this.#listeners.size === 0) return;
    const state = this.encode();
    for (const listener of this.#listeners) listener(state);
  }

  /** The entity has lost its key: no ticket of before opens anything any more, and nothing in its name stays open. */
  revoke(entity: AuthEntity): void {
    const now = this.#clock.now();
    // A ticket lasts three ttls at most: the longest of any service, also if that has been longer before.
    const ttls = [ENTITY_TYPE.AUTH, ...TICKET_SERVICES].map((service) => this.#ttlMs(service));
    const oldest = now - KEEP * Math.max(AUTH_TICKET_TTL_MS, ...ttls);
    for (const [name, atMs] of this.#revoked) if (atMs < oldest) this.#revoked.delete(name);
    this.#revoked.set(nameOf(entity), now);
    this.#tell();
  }

  isRevoked(entity: AuthEntity, sinceMs: number): boolean {
    return (this.#revoked.get(nameOf(entity)) ?? 0) >= sinceMs;
  }

  find(service: number, id: bigint): Uint8Array | undefined {
    return this.#services.get(service)?.find((secret) => BigInt(secret.id) === id)?.key;
  }

  /** The secret to seal a new ticket under. Rotates first if the time has come. */
  forIssue(service: number): IssuingSecret {
    this.check();
    const secrets = must(this.#services.get(service), `secrets of service ${service}`);
    const current = must(secrets[1], "current secret");
    const next = must(secrets[2], "next secret");
    // Validity ends with the next secret at the latest: until then the current one can still be found.
    const ttlMs = Math.min(this.#ttlMs(service), next.expiresMs - this.#clock.now());
    return { id: BigInt(current.id), key: current.key, ttlMs };
  }

  /** None lasts longer than if all were made now. */
  #shorten(service: number, secrets: Secret[]): void {
    const [now, ttlMs] = [this.#clock.now(), this.#ttlMs(service)];
    const atMost = (secret: Secret, i: number): Secret => ({
      ...secret,
      expiresMs: Math.min(secret.expiresMs, now + (i + 1) * ttlMs),
    });
    this.#services.set(service, secrets.map(atMost));
  }

  #rotate(service: number): boolean {
    const secrets = this.#services.get(service) ?? [];
    const now = this.#clock.now();
    const ttlMs = this.#ttlMs(service);
    let added = false;
    while (secrets.length < KEEP || must(secrets[1], "current secret").expiresMs <= now) {
      const last = secrets.at(-1);
      // The first expires in one ttl, the second in two: each is current for one ttl.
      const from = last === undefined ? now : Math.max(now + ttlMs, last.expiresMs);
      const key = this.#random.bytes(ROTATING_SECRET_LEN);
      secrets.push({ id: ++this.#idMax, key, expiresMs: from + ttlMs });
      if (secrets.length > KEEP) secrets.shift();
      added = true;
    }
    this.#services.set(service, secrets);
    return added;
  }
}
