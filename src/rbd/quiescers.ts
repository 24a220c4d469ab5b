/**
 * What has to hold still while a snapshot is taken, at our end: file systems that can be frozen, and the like.
 * ceph: src/librbd/ImageWatcher.cc handle_payload(QuiescePayload), ImageState.cc notify_quiesce
 */

import { CephError, ERRNO } from "../base/index.ts";
import { type Asked, encodeResponse, keyOf } from "./notify.ts";

/** Somebody who can make what uses the image hold still. */
export interface Quiescer {
  /** Resolves once it holds still. @throws CephError if it can not; then no snapshot is taken */
  quiesce(): Promise<void>;
  unquiesce(): void;
}

export class Quiescers {
  readonly #all = new Set<Quiescer>();
  /** For whose sake it holds still. */
  readonly #held = new Set<string>();

  add(quiescer: Quiescer): void {
    this.#all.add(quiescer);
  }

  delete(quiescer: Quiescer): void {
    this.#all.delete(quiescer);
  }

  /** @returns what is answered */
  async quiesce(notice: Asked): Promise<Uint8Array> {
    if (this.#all.size === 0) return encodeResponse(-ERRNO.EOPNOTSUPP);
    this.#held.add(keyOf(notice));
    try {
      await Promise.all([...this.#all].map((quiescer) => quiescer.quiesce()));
      return encodeResponse(0);
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      return encodeResponse(error.errno);
    }
  }

  unquiesce(notice: Asked): void {
    if (this.#held.delete(keyOf(notice))) for (const quiescer of this.#all) quiescer.unquiesce();
  }
}
