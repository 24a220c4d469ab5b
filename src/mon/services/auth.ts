/**
 * The monitor's table of entities: keys and caps, durable; global ids, never given out twice in the life
 * of the cluster; and the rotating secrets that tickets are sealed under.
 * ceph: src/mon/AuthMonitor.cc, src/auth/KeyRing.cc
 */

import {
  type EntityAuth,
  formatKey,
  type GlobalIds,
  generateKey,
  type KeyringEntry,
  keyTypeName,
  keyTypeOf,
  parseKey,
  parseMgrCap,
  parseMonCap,
  parseOsdCap,
  RotatingSecrets,
} from "../../auth/index.ts";
import { type Clock, type Random, Turns } from "../../base/index.ts";
import {
  type AuthEntity,
  ENTITY_TYPE,
  formatAuthEntity,
  parseAuthEntity,
} from "../../types/index.ts";
import { keyOf, type MonStore, put, remove, textOfKey } from "../mon-store.ts";
import { KeyPolicy } from "./key-policy.ts";

/** Ids reserved with one write. */
const GLOBAL_ID_RANGE = 10_000;
/** The first id of a cluster, as upstream's first session has. */
const GLOBAL_ID_FIRST = 4096;
/** Bounds the table against a client that never stops adding. */
export const AUTH_ENTITIES_MAX = 10_000;

/** What is wrong with a cap, in upstream's words; undefined if nothing is.  ceph: AuthMonitor::valid_caps */
export function capsComplaint(service: string, text: string): string | undefined {
  const parses = {
    mon: () => parseMonCap(text) !== undefined,
    osd: () => parseOsdCap(text) !== undefined,
    mgr: () => parseMgrCap(text) !== undefined,
    // There is no file system: nobody reads them.
    mds: () => true,
  };
  if (!Object.hasOwn(parses, service)) return `unknown cap type '${service}'`;
  if (parses[service as keyof typeof parses]()) return undefined;
  return `${service} capability parse failed, stopped at '${text}' of '${text}'`;
}

interface StoredEntity {
  key: string;
  caps: Record<string, string>;
}

/** Numbers are used only below a limit that is durable: a restart goes on at the limit. */
class GlobalIdRange implements GlobalIds {
  readonly #store: MonStore;
  #next: number;
  #limit: number;
  #isExtending = false;

  private constructor(store: MonStore, first: number) {
    this.#store = store;
    this.#next = first;
    this.#limit = first;
  }

  static async open(store: MonStore): Promise<GlobalIdRange> {
    const saved = store.text("monitor", "global-id-limit");
    const range = new GlobalIdRange(store, saved === undefined ? GLOBAL_ID_FIRST : Number(saved));
    await range.#extend();
    return range;
  }

  async #extend(): Promise<void> {
    const limit = this.#limit + GLOBAL_ID_RANGE;
    await this.#store.commit([put("monitor", "global-id-limit", String(limit))]);
    this.#limit = Math.max(this.#limit, limit);
  }

  allocate(): bigint | undefined {
    if (this.#limit - this.#next <= GLOBAL_ID_RANGE / 2 && !this.#isExtending) {
      this.#isExtending = true;
      // A failing disk stops the whole server. With a full one the next id tries again.
      this.#extend()
        .catch(() => undefined)
        .finally(() => {
          this.#isExtending = false;
        });
    }
    return this.#next < this.#limit ? BigInt(this.#next++) : undefined;
  }

  wasAllocated(globalId: bigint): boolean {
    return globalId >= BigInt(GLOBAL_ID_FIRST) && globalId < BigInt(this.#next);
  }
}

export interface AuthServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long tickets of a service are good. */
  readonly ttlMs: (service: number) => number;
  /** mon_auth_allow_insecure_key, if it is set. @default it is not */
  readonly allowWeakKeys?: () => boolean | undefined;
}

/** An entity with a key of a type that is known to be weak. */
export interface WeakKey {
  readonly name: string;
  readonly isClient: boolean;
  readonly keyType: string;
}

export class AuthService {
  readonly #store: MonStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #entities = new Map<string, KeyringEntry>();
  #badCaps: AuthService["badCaps"] = [];
  #weakKeys: readonly WeakKey[] = [];
  /** Which types of keys there may be. Changed by `setPolicy`. */
  readonly policy: KeyPolicy;
  /** Whoever changes the table by what it has, has it alone until the change is stored. */
  readonly turns = new Turns();
  readonly globalIds: GlobalIds;
  readonly secrets: RotatingSecrets;
  /** Where anybody is let in as anyone, if others than this machine's users reach it. */
  openTo: string | undefined;

  private constructor(
    store: MonStore,
    { clock, random, ttlMs, allowWeakKeys = () => undefined }: AuthServiceOptions,
    ids: GlobalIds,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.globalIds = ids;
    this.policy = new KeyPolicy(store, allowWeakKeys);
    const state = store.get("monitor", "rotating-secrets");
    this.secrets = new RotatingSecrets({
      clock,
      random,
      ttlMs,
      ...(state === undefined ? {} : { state }),
    });
    for (const [key, value] of store.entries("auth")) {
      const stored = JSON.parse(Buffer.from(value).toString("utf8")) as StoredEntity;
      const entity = parseAuthEntity(textOfKey(key));
      const secret = parseKey(stored.key);
      if (entity === undefined || secret === undefined) continue;
      this.#entities.set(formatAuthEntity(entity), {
        entity,
        auth: { key: secret, caps: stored.caps },
      });
    }
    this.#check();
  }

  /** Reads the tables; the secrets are durable before the first ticket is sealed. */
  static async open(store: MonStore, options: AuthServiceOptions): Promise<AuthService> {
    const service = new AuthService(store, options, await GlobalIdRange.open(store));
    service.secrets.start();
    await service.#saveSecrets(service.secrets.encode());
    // The next secret is made long before it is used, so nobody has to wait for this write; and a failing
    // disk stops the whole server.
    service.secrets.onRotate((state) => void service.#saveSecrets(state).catch(() => undefined));
    return service;
  }

  async #saveSecrets(state: Uint8Array): Promise<void> {
    await this.#store.commit([{ service: "monitor", key: "rotating-secrets", value: state }]);
  }

  close(): void {
    this.secrets.close();
  }

  /** Caps that do not parse, by entity. Whoever has them may do nothing at that service. */
  get badCaps(): readonly { readonly name: string; readonly reason: string }[] {
    return this.#badCaps;
  }

  /** Entities whose keys are of a weak type, by name. */
  get weakKeys(): readonly WeakKey[] {
    return this.#weakKeys;
  }

  /** After every change of the table: health asks often, and tables change rarely. */
  #check(): void {
    this.#badCaps = this.list().flatMap(({ entity, auth }) =>
      Object.entries(auth.caps).flatMap(([service, text]) => {
        const reason = capsComplaint(service, text);
        return reason === undefined ? [] : [{ name: formatAuthEntity(entity), reason }];
      }),
    );
    this.#weakKeys = this.list()
      .filter(({ auth }) => this.policy.isWeak(auth.key.type))
      .map(({ entity, auth }) => ({
        name: formatAuthEntity(entity),
        isClient: entity.type === ENTITY_TYPE.CLIENT,
        keyType: keyTypeName(auth.key.type),
      }));
  }

  get size(): number {
    return this.#entities.size;
  }

  get(entity: AuthEntity): EntityAuth | undefined {
    return this.#entities.get(formatAuthEntity(entity))?.auth;
  }

  /** The same, if its key is of a type that may open sessions. */
  getUsable(entity: AuthEntity): EntityAuth | undefined {
    const auth = this.get(entity);
    return auth !== undefined && this.policy.allows(auth.key.type) ? auth : undefined;
  }

  /** By entity type, then name, as `auth ls` lists them. */
  list(): KeyringEntry[] {
    return [...this.#entities.values()].sort(
      (a, b) => a.entity.type - b.entity.type || (keyOf(a.entity.id) < keyOf(b.entity.id) ? -1 : 1),
    );
  }

  /** @param type not given: the one that is preferred */
  newKey(type = keyTypeOf(this.policy.preferred)): EntityAuth["key"] {
    return generateKey(this.#random, this.#clock.now(), type);
  }

  /** Takes, makes and warns of other types of keys from now on. */
  async setPolicy(change: Parameters<KeyPolicy["change"]>[0]): Promise<void> {
    await this.policy.change(change);
    this.#check();
  }

  async set(entries: readonly KeyringEntry[]): Promise<void> {
    await this.#store.commit(
      entries.map(({ entity, auth }) =>
        put(
          "auth",
          keyOf(formatAuthEntity(entity)),
          JSON.stringify({ key: formatKey(auth.key), caps: auth.caps } satisfies StoredEntity),
        ),
      ),
    );
    for (const entry of entries) this.#entities.set(formatAuthEntity(entry.entity), entry);
    this.#check();
  }

  async remove(entity: AuthEntity): Promise<void> {
    const name = formatAuthEntity(entity);
    this.#entities.delete(name);
    this.#check();
    // Stored before the removal is: after a power cut, who has no key has no good ticket either.
    this.secrets.revoke(entity);
    await this.#store.commit([remove("auth", keyOf(name))]);
  }
}
