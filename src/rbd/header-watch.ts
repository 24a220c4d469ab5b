/**
 * The watch on an image's header: begun, renewed when it is lost, until it is closed.
 * ceph: src/librbd/Watcher.cc, src/librbd/watcher/RewatchRequest.cc
 */

import { assert, CephError, type Clock, ERRNO, type Logger, sleep } from "../base/index.ts";
import type { IoCtx, Watch } from "../rados/index.ts";
import { isErrno } from "./errors.ts";
import type { WriteGate } from "./io/write-gate.ts";

/** Wait before a lost watch is registered again, when that fails.  ceph: librbd::Watcher rewatch delay */
const REWATCH_MS = 1_000;

/** What the watch needs of its image. */
export interface WatchedImage {
  readonly io: IoCtx;
  readonly clock: Clock;
  readonly log: Logger;
  readonly id: string;
  readonly target: string;
  readonly headerOid: string;
  /** Shut while there is no watch. */
  readonly gate: WriteGate;
}

export interface WatchHandlers {
  onNotify(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * It is another watch now, and what happened meanwhile we were not told of. @throws CephError what hangs on it could
   * not be moved: it is called again
   */
  onRenewed(): Promise<void>;
  /** It is gone for good: the image, or we. */
  onEnd(error: CephError): void;
}

export class HeaderWatch {
  readonly #image: WatchedImage;
  readonly #handlers: WatchHandlers;
  #watch: Watch | undefined;
  #renewing: Promise<void> | undefined;
  #isClosed = false;

  constructor(image: WatchedImage, handlers: WatchHandlers) {
    this.#image = image;
    this.#handlers = handlers;
  }

  /** 0 while there is none. */
  get cookie(): bigint {
    return this.#watch?.cookie ?? 0n;
  }

  async start(): Promise<void> {
    const { io, headerOid, log, id } = this.#image;
    this.#watch = await io.watch(headerOid, {
      onNotify: ({ payload }) => this.#handlers.onNotify(payload),
      onError: (error) => {
        log.warn("watch of an image lost", { image: id, why: error.message });
        this.#watch = undefined;
        // Gone for good: the image, or we.
        if (isErrno(error, "ENOENT", "ESHUTDOWN") || this.#isClosed) {
          return this.#handlers.onEnd(error);
        }
        void this.renew();
      },
    });
  }

  /** Resolves once there is a watch, and what hangs on it does so, or it is gone for good. */
  async renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  /** Resolves when it is not about to be renewed. */
  async settled(): Promise<void> {
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    const { gate, clock, log, id, target } = this.#image;
    // What is in flight may go on: who takes our lock blocklists us first.
    const drained = gate.block();
    drained.catch(() => undefined); // not waited for: what fails to be written back is dirty still
    try {
      for (let isDone = false; !isDone && !this.#isClosed; ) {
        try {
          if (this.#watch === undefined) await this.start();
          const watch = this.#watch;
          await this.#handlers.onRenewed();
          // It may be lost again.
          isDone = watch !== undefined && watch === this.#watch;
        } catch (error) {
          if (isErrno(error, "ENOENT", "ESHUTDOWN")) return this.#handlers.onEnd(error);
          if (!(error instanceof CephError)) throw error;
          log.warn("watch of an image not renewed", { image: id, why: String(error) });
          await sleep(clock, REWATCH_MS);
        }
      }
    } catch (error) {
      assert(error instanceof Error, "an error");
      log.error("watch of an image", { image: id, why: error.message });
      this.#handlers.onEnd(new CephError(-ERRNO.EIO, { op: "watch", target, cause: error }));
    } finally {
      gate.unblock();
    }
  }

  /** Lets go of it while the header becomes another object, which nobody else watches yet. */
  async pausedFor(work: () => Promise<void>): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    if (watch !== undefined) await watch.close();
    try {
      await work();
    } finally {
      if (watch !== undefined && !this.#isClosed) await this.#resume();
    }
  }

  async #resume(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      if (error instanceof CephError) this.#handlers.onEnd(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#renewing;
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.close();
  }
}
