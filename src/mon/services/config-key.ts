/**
 * `config-key`: a small durable dictionary for tools (`rbd mirror`, orchestration, ceph-csi).
 * ceph: src/mon/ConfigKeyService.cc
 */

import { keyOf, type MonStore, textOfKey } from "../mon-store.ts";

/** Largest value, as upstream's `mon config key max entry size`. */
export const CONFIG_KEY_VALUE_MAX = 65536;
/** Bounds the store against a client that never stops adding. */
export const CONFIG_KEY_COUNT_MAX = 100_000;

export class ConfigKeyService {
  readonly #store: MonStore;
  readonly #values = new Map<string, Uint8Array>();

  constructor(store: MonStore) {
    this.#store = store;
    for (const [key, value] of store.entries("config-key")) {
      this.#values.set(textOfKey(key), Uint8Array.from(value));
    }
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** In byte order. */
  keys(prefix = ""): string[] {
    return [...this.#values.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  get isFull(): boolean {
    return this.#values.size >= CONFIG_KEY_COUNT_MAX;
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(value);
    await this.#store.commit([{ service: "config-key", key: keyOf(key), value: copy }]);
    this.#values.set(key, copy);
  }

  async remove(key: string): Promise<void> {
    if (!this.#values.has(key)) return;
    await this.#store.commit([{ service: "config-key", key: keyOf(key), value: undefined }]);
    this.#values.delete(key);
  }
}
