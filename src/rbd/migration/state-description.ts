/**
 * How far a migration is, in its headers, for `rbd status`. One change is under way at a time, and only the
 * newest waits behind it.
 * ceph: src/librbd/api/Migration.cc MigrationProgressContext
 */

import { CephError } from "../../base/index.ts";
import { MIGRATION_STATE } from "../../cls/rbd/types/features.ts";
import { type Migration, setMigrationState } from "./ends.ts";

export class StateDescription {
  readonly #migration: Migration;
  #told = "";
  #next: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(migration: Migration) {
    this.#migration = migration;
  }

  tell(done: number, total: number): void {
    const text = `${total === 0 ? 100 : Math.floor((done * 100) / total)}% complete`;
    if (text === this.#told) return;
    this.#told = text;
    this.#next = text;
    this.#writing ??= this.#write();
  }

  /** Resolves when nothing is being written any more; what waits is not written. */
  async settled(): Promise<void> {
    this.#next = undefined;
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      for (let text = this.#next; text !== undefined; text = this.#next) {
        this.#next = undefined;
        await setMigrationState(this.#migration, MIGRATION_STATE.EXECUTING, text);
      }
    } catch (error) {
      // Only words: what is wrong with the headers the migration itself will meet.
      if (!(error instanceof CephError)) throw error;
    } finally {
      this.#writing = undefined;
    }
  }
}
