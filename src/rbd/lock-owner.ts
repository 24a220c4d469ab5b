/**
 * Operations on an image whose lock somebody else may hold: done here if the lock is free, or else by its
 * owner, who is asked and tells how far it is. One that knows of no such thing is asked for the lock.
 * ceph: src/librbd/Operations.cc C_InvokeAsyncRequest, src/librbd/ImageWatcher.cc notify_async_request
 */

import { CephError, ERRNO, type ErrnoName, sleep } from "../base/index.ts";
import { imageError, isErrno, orReadOnly } from "./errors.ts";
import { type LockPolicy, NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import type { Image } from "./image.ts";
import { decodeResponse, encodeHeaderNotice, type OwnerRequest } from "./notify.ts";
import { noProgress, type Progress } from "./progress.ts";

/** Without a word of a request for so long it is made anew.  ceph: rbd_request_timed_out_seconds */
const TIMEOUT_MS = 30_000;
/** Wait before it is tried again. */
const RETRY_MS = 1_000;
/** Attempts that nobody answers, in a row. */
const SILENT_MAX = 10;

export interface Operation {
  readonly request: OwnerRequest;
  /** A failure that says that an earlier attempt has done it. */
  readonly done?: ErrnoName;
  /** What somebody hears who wants the lock while it is done here. */
  readonly policy: LockPolicy;
  readonly progress?: Progress;
  /** Does it with the lock held; false: the lock has to be given up before it is done. */
  readonly here: () => Promise<boolean>;
}

/** @throws CephError EROFS: a user holds the lock; ETIMEDOUT: its owner does not answer; what the operation ends with */
export async function byLockOwner(image: Image, operation: Operation): Promise<void> {
  const { request, done, policy, progress = noProgress, here } = operation;
  const target = image.name || image.id;
  const news = image.ownerNews;
  let number = news.listen();
  let silent = 0;
  let mayBeDone = false;
  /** By us, or by an owner who has not come to say so. */
  const isDone = (error: unknown) => mayBeDone && done !== undefined && isErrno(error, done);
  try {
    while (silent < SILENT_MAX) {
      progress.signal?.throwIfAborted();
      if (
        image.lock === undefined ||
        image.lock.isHeld ||
        (await orReadOnly(image.tryLock(policy), target))
      ) {
        try {
          if (await here()) return;
        } catch (error) {
          if (isDone(error)) return;
          throw error;
        }
        mayBeDone = true;
        await image.giveLockBack();
        continue;
      }
      const result = await ask(image, request, number, progress);
      if (result === 0) return;
      // Who does nothing for others, as the kernel's client, lets them do it.
      if (result === -ERRNO.EOPNOTSUPP && (await image.tryLock(policy, true))) continue;
      // ERESTART: the owner is about to lose the lock, or has.
      const mayGoOn = result === undefined || result === -ERRNO.ERESTART;
      if (!mayGoOn) {
        const failure = new CephError(result, { op: request.op, target });
        if (isDone(failure)) return;
        throw failure;
      }
      mayBeDone = true;
      if (result !== undefined) {
        // What has ended so is not begun again under its number.
        news.forget(number);
        number = news.listen();
      }
      silent++;
      await sleep(image.clock, RETRY_MS);
    }
  } finally {
    news.forget(number);
  }
  throw imageError("ETIMEDOUT", request.op, target, "the lock's owner does not answer");
}

/**
 * Does it in its turn among the operations; the lock is held, and stays so.
 * @throws CephError ERESTART: it is not held any more; EBADF: the image is closed; EROFS: made by a newer release
 */
export async function inTurn(image: Image, op: string, work: () => Promise<void>): Promise<void> {
  await image.operations.run(async () => {
    image.checkOwner();
    await image.prepareOperation();
    // It may be lost by now.
    image.checkOwner();
    if (image.operationsDisabled) {
      throw imageError("EROFS", op, image.target, "operations of a newer release");
    }
    await work();
  });
}

/** What is done here, unless somebody is to have the lock first, who then does it for us. @returns whether it is */
export async function unlessWanted(image: Image, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isErrno(error, "ERESTART") && image.lost === undefined) return false;
    throw error;
  }
}

/**
 * The owner's result; undefined: nobody says anything.
 * @param request its number: the owner does not do again what it is asked for again by the same one
 */
async function ask(
  image: Image,
  what: OwnerRequest,
  request: bigint,
  progress: Progress,
): Promise<number | undefined> {
  const { io, headerOid, ownerNews, watcherId } = image;
  const notice = encodeHeaderNotice({ ...what, from: watcherId, request });
  const { replies } = await io.notify(headerOid, notice, NOTIFY_TIMEOUT_MS);
  const [answer] = replies.filter(([, payload]) => payload.length > 0);
  // It may be done before it is answered.
  if (answer === undefined) return ownerNews.resultOf(request);
  const result = decodeResponse(answer[1]);
  return result < 0 ? result : await ownerNews.completionOf(request, TIMEOUT_MS, progress);
}
