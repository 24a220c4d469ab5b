/**
 * Doing what others ask the lock's owner for, while we are it: the request is answered at once, done, and
 * its asker told how far it is and how it ended. A request that is sent again is not done again.
 * ceph: src/librbd/ImageWatcher.cc handle_operation_request, prepare_async_request, schedule_async_complete
 */

import { CephError, ERRNO } from "../base/index.ts";
import { isErrno } from "./errors.ts";
import { NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import type { Image, OwnerRequests } from "./image.ts";
import { type Asked, encodeHeaderNotice, keyOf, type OwnerRequest } from "./notify.ts";
import { execute } from "./operations.ts";

/** How long an ended request is known, for who asks again. */
const REMEMBERED_MS = 600_000;
/** Attempts to tell somebody of an end, who may be gone. */
const TELL_MAX = 10;

export class OwnerService implements OwnerRequests {
  readonly #image: Image;
  readonly #pending = new Set<string>();
  readonly #ended = new Map<string, { readonly result: number; readonly atMs: number }>();

  constructor(image: Image) {
    this.#image = image;
  }

  start(request: OwnerRequest & Asked): number {
    const key = keyOf(request);
    const ended = this.#ended.get(key);
    if (ended !== undefined) {
      // Who asks again has not heard of it: of a failure by the answer, of success as of any other.
      if (ended.result === 0) void this.#tell(request, 0);
      return ended.result;
    }
    if (this.#pending.has(key)) return 0;
    // Whoever has the lock next does it.
    if (this.#image.isClosed) return -ERRNO.ERESTART;
    this.#pending.add(key);
    void this.#serve(request, key);
    return 0;
  }

  async #serve(request: OwnerRequest & Asked, key: string): Promise<void> {
    const image = this.#image;
    let result = 0;
    try {
      await execute(image, request, this.#progressTo(request));
    } catch (error) {
      if (!(error instanceof CephError)) {
        image.log.error("request of another client", { image: image.id, why: String(error) });
      }
      result = error instanceof CephError ? error.errno : -ERRNO.EIO;
    }
    this.#pending.delete(key);
    this.#remember(key, result);
    await this.#tell(request, result);
  }

  /** One notice under way at a time, about the newest state. */
  #progressTo({ from, request }: Asked): (done: number, total: number) => void {
    const { io, headerOid, log, id } = this.#image;
    let isBusy = false;
    return (done, total) => {
      if (isBusy) return;
      isBusy = true;
      const notice = encodeHeaderNotice({ op: "progress", from, request, done, total });
      io.notify(headerOid, notice, NOTIFY_TIMEOUT_MS)
        .catch((error: unknown) => log.debug("progress not told", { id, why: String(error) }))
        .finally(() => {
          isBusy = false;
        });
    };
  }

  async #tell({ from, request }: Asked, result: number): Promise<void> {
    const { io, headerOid, log, id } = this.#image;
    const notice = encodeHeaderNotice({ op: "complete", from, request, result });
    for (let attempt = 0; attempt < TELL_MAX; attempt++) {
      try {
        const { timedOut } = await io.notify(headerOid, notice, NOTIFY_TIMEOUT_MS);
        if (!timedOut) return;
      } catch (error) {
        log.debug("end of a request not told", { id, why: String(error) });
        if (isErrno(error, "ENOENT", "ESHUTDOWN")) return;
      }
    }
  }

  #remember(key: string, result: number): void {
    const now = this.#image.clock.monotonic();
    for (const [old, { atMs }] of this.#ended) {
      if (atMs + REMEMBERED_MS < now) this.#ended.delete(old);
    }
    this.#ended.set(key, { result, atMs: now });
  }
}
