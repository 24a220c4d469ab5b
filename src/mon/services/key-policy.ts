/**
 * Which types of keys the monitor takes, and which it makes: `ceph mon set auth_allowed_ciphers` and
 * `auth_preferred_cipher`, and the option mon_auth_allow_insecure_key. Newer releases keep the two in the map of
 * monitors; ours has that of 16.2, without them, so they are kept beside it.
 *
 * Warnings differ from those releases in one thing: they come once the operator prefers a type that is not known to
 * be weak, or takes no other, not before. A new cluster of ours prefers `aes`, because clients of 16.2 and 18.2 speak
 * nothing else; it would never be healthy otherwise, and there would be nothing to do about it.
 * ceph: src/mon/AuthMonitor.cc (check_health, get_cipher_type), src/mon/MonmapMonitor.cc; since 19.2.6 and 20.2.4
 */

import { DEFAULT_KEY_TYPE, KEY_TYPES, keyTypeName } from "../../auth/index.ts";
import { type MonStore, put } from "../mon-store.ts";

/** Without a MAC of their own: CVE-2025-30156. */
const WEAK: ReadonlySet<string> = new Set(["aes"]);

interface StoredPolicy {
  /** Names of types. */
  allowed: readonly string[];
  preferred: string;
}

export class KeyPolicy {
  readonly #store: MonStore;
  readonly #allowOption: () => boolean | undefined;
  #policy: StoredPolicy = { allowed: KEY_TYPES, preferred: keyTypeName(DEFAULT_KEY_TYPE) };
  #isSet = false;

  /** @param allowWeak the option mon_auth_allow_insecure_key; undefined where it has not been set */
  constructor(store: MonStore, allowWeak: () => boolean | undefined) {
    this.#store = store;
    this.#allowOption = allowWeak;
    const stored = store.text("monitor", "key-policy");
    if (stored === undefined) return;
    this.#policy = JSON.parse(stored) as StoredPolicy;
    this.#isSet = true;
  }

  /** Has anybody changed it? */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Names of the types that open sessions, in the order of their numbers. */
  get allowed(): readonly string[] {
    return this.#policy.allowed;
  }

  /** The name of the type of new keys. */
  get preferred(): string {
    return this.#policy.preferred;
  }

  /** May a key of the type open a session? */
  allows(type: number): boolean {
    return this.#policy.allowed.includes(keyTypeName(type));
  }

  isWeak(type: number): boolean {
    return WEAK.has(keyTypeName(type));
  }

  /** Does the operator want better than weak keys? Then those that are left are warned of. */
  get wantsStrong(): boolean {
    return !WEAK.has(this.preferred) || !this.takesWeak;
  }

  get takesWeak(): boolean {
    return this.allowed.some((name) => WEAK.has(name));
  }

  /** Are keys of weak types made for who asks for one? The default is whether they open anything. */
  get makesWeak(): boolean {
    return this.#allowOption() ?? this.takesWeak;
  }

  /** Why no key of the type is made; undefined: it is. */
  refusalOf(type: number): string | undefined {
    const name = keyTypeName(type);
    if (this.isWeak(type) && !this.makesWeak) {
      return `creating key with insecure key type ${name} not allowed`;
    }
    return this.allows(type) ? undefined : `key type ${name} is not in auth_allowed_ciphers`;
  }

  async change(change: Partial<StoredPolicy>): Promise<void> {
    const policy = { ...this.#policy, ...change };
    await this.#store.commit([put("monitor", "key-policy", JSON.stringify(policy))]);
    this.#policy = policy;
    this.#isSet = true;
  }
}
