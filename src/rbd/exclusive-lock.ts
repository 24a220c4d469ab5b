/**
 * The exclusive lock of an image: taken from whoever has it, by asking; from whoever is gone, by force.
 *
 *   get locker -> (none) -> lock -> held
 *                 (alive) -> ask the owner -> it releases: again; it refuses: EBUSY
 *                 (not watching any more) -> blocklist it, break its lock -> again
 *
 * The lock's cookie names the owner's watch on the header: an owner without a watch is no owner.
 * ceph: src/librbd/ManagedLock.cc, src/librbd/managed_lock/AcquireRequest.cc, BreakRequest.cc
 */

import { CephError, type Clock, ERRNO, sleep } from "../base/index.ts";
import { LOCK_TYPE, type LockerId, type LockerInfo } from "../cls/lock/types.ts";
import { callOp, type IoCtx, type Rados } from "../rados/index.ts";
import { ENTITY_TYPE, type EntityName, UTIME_ZERO } from "../types/index.ts";
import { LOCK } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { RBD_LOCK_NAME } from "./names.ts";
import { decodeResponse, encodeHeaderNotice, type WatcherId } from "./notify.ts";

/** Of locks that librbd takes by itself; any other is a user's.  ceph: managed_lock/Utils.cc */
const TAG = "internal";
const COOKIE = /^auto (\d+)$/;
/** How long a notification waits for answers.  ceph: librbd::watcher::Notifier::NOTIFY_TIMEOUT */
export const NOTIFY_TIMEOUT_MS = 5_000;
/** Wait for a release that was promised, before asking again.  ceph: client_notify_timeout */
const RELEASE_WAIT_MS = 10_000;
/** Wait after an answer that tells nothing.  ceph: ImageWatcher RETRY_DELAY_SECONDS */
const RETRY_MS = 1_000;

/** What the lock needs of its image. */
export interface LockableImage {
  readonly rados: Rados;
  readonly clock: Clock;
  readonly io: IoCtx;
  readonly name: string;
  readonly headerOid: string;
  /** Cookie of our watch on the header. */
  readonly watchCookie: bigint;
  readonly watcherId: WatcherId;
  /** @throws CephError why nobody is to take the lock any more: the watch is lost for good, or the image closed */
  checkOpen(): void;
  /** Resolves when the watch is not about to be renewed. */
  watchSettled(): Promise<void>;
  /** It is ours from now on. */
  lockTaken(): void;
  /** Somebody wants the lock and has been promised it. */
  lockWanted(): void;
}

interface Owner {
  readonly id: LockerId;
  readonly info: LockerInfo;
  /** Cookie of its watch. */
  readonly watch: bigint;
}

/**
 * What we say to others who want the lock that we hold: no; that they will have it soon, which whoever works
 * with the lock has to see to (`isWanted`); or the same, and it is given up once nothing is in flight.
 * ceph: src/librbd/exclusive_lock/StandardPolicy.cc, AutomaticPolicy.cc
 */
export type LockPolicy = "refuse" | "yield" | "automatic";

export class ExclusiveLock {
  readonly #image: LockableImage;
  /** Cookie that we hold it with. */
  #cookie: string | undefined;
  /** Cookie that we may hold it with: neither a request nor the question what had become of it was answered. */
  #doubtful: string | undefined;
  #policy: LockPolicy = "refuse";
  #isWanted = false;
  #turns = 0;
  #onPeer: (() => void) | undefined;
  /** A change of the cookie that is under way. */
  #moving: Promise<boolean> | undefined;

  constructor(image: LockableImage) {
    this.#image = image;
  }

  get isHeld(): boolean {
    return this.#cookie !== undefined;
  }

  /** It is, or the header may say so: there is something to give back. */
  get mayBeHeld(): boolean {
    return this.isHeld || this.#doubtful !== undefined;
  }

  /** It hangs on a watch that is not ours any more: others take us for dead. */
  get isStray(): boolean {
    return this.#cookie !== undefined && this.#cookie !== cookieOf(this.#image);
  }

  /** How often it has been taken. */
  get turns(): number {
    return this.#turns;
  }

  /** Somebody has asked for it, and was promised it. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  get policy(): LockPolicy {
    return this.#policy;
  }

  /** What is said from now on, by who has it already. */
  setPolicy(policy: LockPolicy): void {
    this.#policy = policy;
  }

  /**
   * The watch may be another by the time it is ours: see `isStray`.
   * @throws CephError EBUSY if the owner will not give it up, or a user holds it
   */
  async acquire(policy: LockPolicy): Promise<void> {
    if (this.isHeld) return;
    const image = this.#image;
    await this.#giveUpDoubtful();
    for (;;) {
      image.checkOpen();
      await image.watchSettled();
      if (image.watchCookie === 0n) {
        await sleep(image.clock, RETRY_MS);
        continue;
      }
      const cookie = cookieOf(image);
      const owner = await this.#owner();
      if (await this.#tryLock(cookie)) {
        this.#cookie = cookie;
        this.#policy = policy;
        this.#isWanted = false;
        this.#turns++;
        image.lockTaken();
        return;
      }
      // Between the question and the attempt it was free and is not any more.
      if (owner === undefined) continue;
      if (await this.#isAlive(owner)) await this.#ask();
      else await this.#break(owner);
    }
  }

  /** Would nobody have to give it up? @throws CephError EBUSY if a user holds it */
  async isFree(): Promise<boolean> {
    if (this.isHeld) return true;
    const owner = await this.#owner();
    if (owner === undefined || this.#isUs(owner, this.#doubtful)) return true;
    return !(await this.#isAlive(owner));
  }

  /** Gives it back; if that fails it is ours still, where the header says so. Who waits for it hears so by `tell`. */
  async release(): Promise<void> {
    // By the cookie that it has after that.
    await this.#moving?.catch(() => undefined);
    await this.#giveUpDoubtful();
    const cookie = this.#cookie;
    if (cookie === undefined) return;
    this.#cookie = undefined;
    this.#isWanted = false;
    try {
      await this.#unlock(cookie);
    } catch (error) {
      // It may have been done all the same: an answer that came too late, say.
      if (await this.#isOurs(cookie)) this.#cookie = cookie;
      throw error;
    }
  }

  async #unlock(cookie: string): Promise<void> {
    const { io, headerOid } = this.#image;
    await unless(io.execute(headerOid, LOCK.unlock, { name: RBD_LOCK_NAME, cookie }), "ENOENT");
  }

  /** Not beside a change of the lock's hands: that of ours may have the same cookie. */
  async #giveUpDoubtful(): Promise<void> {
    if (this.#doubtful === undefined) return;
    await this.#unlock(this.#doubtful);
    this.#doubtful = undefined;
  }

  /** What the header says. What is not known counts as no, nobody is to write then, and stays doubtful. */
  async #isOurs(cookie: string): Promise<boolean> {
    try {
      return this.#isUs(await this.#owner(), cookie);
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      // EBUSY: it is a user's.
      if (!isErrno(error, "EBUSY", "ENOENT")) this.#doubtful = cookie;
      return false;
    }
  }

  #isUs(owner: Owner | undefined, cookie: string | undefined): boolean {
    return owner?.id.cookie === cookie && this.#isThisClient(owner?.id.locker);
  }

  #isThisClient(locker: EntityName | undefined): boolean {
    return locker?.type === ENTITY_TYPE.CLIENT && locker.num === this.#image.rados.globalId;
  }

  /**
   * Hangs the lock on a new watch.
   * @returns false if it is not ours any more
   * @throws CephError it hangs on the old one still
   * ceph: src/librbd/managed_lock/ReacquireRequest.cc
   */
  async reacquire(): Promise<boolean> {
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined;
    });
    return await this.#moving;
  }

  async #move(): Promise<boolean> {
    const cookie = this.#cookie;
    if (cookie === undefined) return false;
    const { io, headerOid, watchCookie } = this.#image;
    const newCookie = cookieOf(this.#image);
    // Lost again: there will be another one.
    if (newCookie === cookie || watchCookie === 0n) return true;
    const type = LOCK_TYPE.EXCLUSIVE;
    const args = { name: RBD_LOCK_NAME, type, cookie, tag: TAG, newCookie };
    try {
      await io.execute(headerOid, LOCK.setCookie, args);
    } catch (error) {
      // It may have been done all the same, in an attempt before this one, too.
      if (!(await this.#isOurs(newCookie))) {
        if (!isErrno(error, "EBUSY", "ENOENT")) throw error;
        this.lost();
        return false;
      }
    }
    this.#doubtful = undefined;
    // It may be lost for another reason by now.
    if (this.#cookie !== undefined) this.#cookie = newCookie;
    return this.isHeld;
  }

  /** The watch that the lock hangs on is gone, and with it the lock. */
  lost(): void {
    this.#cookie = undefined;
    this.#isWanted = false;
    this.#onPeer?.();
  }

  /** Tells the other watchers that we have it, or not any more. Nobody has to answer. */
  async tell(op: "acquired" | "released"): Promise<void> {
    const { io, headerOid, watcherId } = this.#image;
    const notice = encodeHeaderNotice({ op, from: watcherId });
    await unless(io.notify(headerOid, notice, NOTIFY_TIMEOUT_MS), "ENOENT");
  }

  /** Somebody else has taken or released the lock, or it is in vain to wait for that. */
  wake(): void {
    this.#onPeer?.();
  }

  /**
   * Somebody wants the lock, or an operation done by its owner.
   * @returns the owner's answer; undefined if it is not for us to answer
   */
  requested(what: "lock" | "operation"): number | undefined {
    if (!this.isHeld) {
      if (this.mayBeHeld) this.#image.lockWanted();
      return undefined;
    }
    if (this.#policy === "refuse") return -ERRNO.EROFS;
    this.#isWanted = true;
    this.#image.lockWanted();
    // Whoever wants an operation done is to come back and do it, once the lock is free.
    return what === "lock" ? 0 : -ERRNO.ERESTART;
  }

  async #tryLock(cookie: string): Promise<boolean> {
    const { io, headerOid } = this.#image;
    const done = io.execute(headerOid, LOCK.lock, {
      name: RBD_LOCK_NAME,
      type: LOCK_TYPE.EXCLUSIVE,
      cookie,
      tag: TAG,
      description: "",
      duration: UTIME_ZERO,
      flags: 0,
    });
    try {
      await done;
      return true;
    } catch (error) {
      if (isErrno(error, "EBUSY")) return false;
      // The cookie names our watch: it is ours, and the answer was lost.
      if (isErrno(error, "EEXIST")) return true;
      // It may have been done all the same, and nobody else would ever have it.
      if (await this.#isOurs(cookie)) return true;
      throw error;
    }
  }

  async #owner(): Promise<Owner | undefined> {
    const { io, headerOid, name } = this.#image;
    const { lockers, tag, type } = await io.query(headerOid, LOCK.getInfo, { name: RBD_LOCK_NAME });
    const [first] = lockers;
    if (first === undefined) return undefined;
    const [id, info] = first;
    const watch = COOKIE.exec(id.cookie)?.[1];
    if (tag !== TAG || type === LOCK_TYPE.SHARED || watch === undefined) {
      throw imageError("EBUSY", "lock", name, "locked by a user");
    }
    return { id, info, watch: BigInt(watch) };
  }

  async #isAlive({ info, watch }: Owner): Promise<boolean> {
    const { io, headerOid } = this.#image;
    const watchers = await io.listWatchers(headerOid);
    return watchers.some(
      ({ addr, cookie }) =>
        cookie === watch &&
        addr.ip === info.addr.ip &&
        addr.port === info.addr.port &&
        addr.nonce === info.addr.nonce,
    );
  }

  async #break(owner: Owner): Promise<void> {
    const { io, headerOid, rados, name } = this.#image;
    const now = await this.#owner();
    if (now === undefined || now.id.cookie !== owner.id.cookie) return;
    // As upstream: it would lock out all that this client has open.
    if (this.#isThisClient(now.id.locker)) {
      throw imageError(
        "EBUSY",
        "lock",
        name,
        "this client has left its lock on a watch that is gone",
      );
    }
    const { result, status } = await rados.blocklist(owner.info.addr);
    if (result < 0) throw imageError("EBUSY", "blocklist the lock's owner of", name, status);
    const { locker, cookie } = owner.id;
    await unless(
      io.execute(headerOid, LOCK.breakLock, { name: RBD_LOCK_NAME, locker, cookie }),
      "ENOENT",
    );
  }

  /** Asks the owner, and waits until it is worth trying again. @throws CephError EBUSY if it refuses */
  async #ask(): Promise<void> {
    const { io, headerOid, watcherId, name } = this.#image;
    const released = this.#nextPeerChange();
    try {
      const notice = encodeHeaderNotice({ op: "request", from: watcherId });
      const { replies } = await io.notify(headerOid, notice, NOTIFY_TIMEOUT_MS);
      const answers = replies.filter(([, payload]) => payload.length > 0);
      const [answer] = answers;
      this.#image.checkOpen();
      // Nobody is the owner: it is going, or gone.
      if (answer === undefined) return await released(RETRY_MS);
      const result = decodeResponse(answer[1]);
      if (result === -ERRNO.EROFS) {
        throw imageError("EBUSY", "lock", name, "the owner will not release it");
      }
      await released(result < 0 ? RETRY_MS : RELEASE_WAIT_MS);
    } finally {
      this.#onPeer = undefined;
    }
  }

  /** A wait that ends when a peer's word comes, be it before the wait begins, or after so long. */
  #nextPeerChange(): (ms: number) => Promise<void> {
    let happened = false;
    let wake = () => {
      happened = true;
    };
    this.#onPeer = () => wake();
    return (ms) =>
      new Promise((resolve) => {
        if (happened) return resolve();
        const timer = this.#image.clock.after(ms, resolve);
        wake = () => {
          timer.cancel();
          resolve();
        };
      });
  }
}

function cookieOf({ watchCookie }: LockableImage): string {
  return `auto ${watchCookie}`;
}

/** The op that lets a change of the object map through only while the map is locked by someone. */
export function assertMapLocked() {
  return callOp(LOCK.assertLocked, {
    name: RBD_LOCK_NAME,
    type: LOCK_TYPE.EXCLUSIVE,
    cookie: "",
    tag: "",
  });
}
