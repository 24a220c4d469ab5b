/**
 * One OSD: its sessions, its maps, its PGs, on one event loop.
 *
 * Requests are answered in the order they come. One with a newer map epoch than ours waits for the map;
 * one for a PG that is not ours is dropped, as upstream drops it, for the client will resend by its map.
 * The OSD speaks to its monitor only through the callbacks it is given, so it may live in a thread of its own.
 * ceph: src/osd/OSD.cc
 */

import { type BufferPool, type Clock, ERRNO, type Logger, type Random } from "../base/index.ts";
import {
  CACHE_MODE,
  isBlocklisted,
  isUp,
  type OsdMap,
  type OsdReport,
  type PgPool,
} from "../maps/index.ts";
import { MCommand, MOSDBackoff, MOSDMap, MOSDOp, MPing } from "../messages/index.ts";
import type { Connection, Dispatcher } from "../messenger/index.ts";
import type { CorruptionError, ObjectStore } from "../store/index.ts";
import {
  type HObject,
  headOf,
  type IncomingMessage,
  type IntervalSet,
  type PgId,
} from "../types/index.ts";
import { Admission } from "./admission.ts";
import { Arrival } from "./arrival.ts";
import { BENCH_COLLECTION, Bench } from "./bench.ts";
import {
  type Answer,
  answerCommand,
  type CommandHost,
  type Release,
  runCommand,
} from "./commands.ts";
import { CommitQueue } from "./commit-queue.ts";
import { Copies } from "./copies.ts";
import { OsdCounters } from "./counters.ts";
import { Damage } from "./damage.ts";
import { makeEnvironment } from "./environment.ts";
import { Executor, type Request } from "./executor.ts";
import { type FirstObject, FirstObjects } from "./first-objects.ts";
import { Fullness, poolFullness } from "./fullness.ts";
import { ImageCounters } from "./image-counters.ts";
import { OsdMaps } from "./osd-maps.ts";
import { type AskPeer, type PeerMessage, Peers } from "./peers.ts";
import type { Pg } from "./pg.ts";
import { PG_NUMS_COLLECTION } from "./pg-num-records.ts";
import { seedOf } from "./pg-parts.ts";
import { PgTable } from "./pg-table.ts";
import { CollectionRemoval } from "./remove-collection.ts";
import { Reporter } from "./reporter.ts";
import { NO_OP_INFO, opInfo, unsupportedNames } from "./request.ts";
import { Session } from "./session.ts";
import { OsdSettings } from "./settings.ts";
import { SnapTrimmer } from "./snap-trimmer.ts";
import { poolSnapContext } from "./snapshots.ts";

/** Requests that may wait for a map before a client must be at fault. */
const WAITING_FOR_MAP_MAX = 1024;

export interface OsdOptions {
  readonly id: number;
  readonly store: ObjectStore;
  /** Where bulk data comes from and goes back to: the messenger's and the store's. @default none */
  readonly pool?: BufferPool;
  /** The newest full map, encoded. */
  readonly map: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Objects that the cluster is born with: each is made once its PG is ours. */
  readonly firstObjects?: readonly FirstObject[];
  /** What `tell osd.N version` answers. */
  readonly version: Release;
  report(report: OsdReport): void;
  /** Asks another OSD. */
  readonly ask: AskPeer;
  /** All PGs here have purged these removed snaps of the pool. */
  snapsPurged(pool: number, snaps: IntervalSet): void;
  /** A block did not read as written. */
  corruption(object: string): void;
  /** The OSD can not go on: it has stopped answering. */
  fatal(error: Error): void;
}

export class OsdServer implements Dispatcher {
  readonly #options: OsdOptions;
  readonly #store: ObjectStore;
  readonly #log: Logger;
  readonly #maps: OsdMaps;
  readonly #commits: CommitQueue;
  readonly #executor: Executor;
  readonly #trimmer: SnapTrimmer;
  readonly #damage: Damage;
  readonly #removal: CollectionRemoval;
  readonly #fullness: Fullness;
  readonly #counters = new OsdCounters();
  readonly #images: ImageCounters;
  readonly #settings = new OsdSettings();
  readonly #bench: Bench;
  readonly #peers: Peers;
  readonly #copies: Copies;
  readonly #pgs: PgTable;
  readonly #sessions = new Set<Session>();
  readonly #admission: Admission;
  #waitingForMap: Arrival[] = [];
  readonly #firstObjects: FirstObjects;
  #stopped = false;
  readonly #reporter: Reporter;

  constructor(options: OsdOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#log = options.log;
    this.#maps = new OsdMaps(options.map);
    this.#images = new ImageCounters(options.clock);
    this.#admission = new Admission({
      isCongested: () => this.#store.isCongested,
      clock: options.clock,
      sessions: () => this.#sessions,
    });
    this.#reporter = new Reporter({
      clock: options.clock,
      upFrom: () => this.#maps.current.osdInfo[options.id]?.upFrom ?? 0,
      make: () => this.#report(),
      send: (report) => options.report(report),
    });
    this.#settings.onChange(() => this.#reporter.soon());
    this.#fullness = new Fullness(options, this.#maps.current, () => this.#reporter.now());
    this.#firstObjects = new FirstObjects(options.firstObjects ?? [], options.clock);
    this.#commits = new CommitQueue(options.store.lastDurable);
    this.#store.onDurable = (seq) => this.#durable(seq);
    this.#store.onFatal = (error) => this.#fatal(error);
    this.#store.onRelief = () => this.#admission.retry();
    this.#bench = new Bench({
      store: this.#store,
      clock: options.clock,
      isStopped: () => this.#stopped,
      removeLater: () => this.#removal.begin(BENCH_COLLECTION),
    });
    this.#peers = new Peers({
      id: options.id,
      ask: options.ask,
      dispatcher: this,
      clock: options.clock,
      log: options.log,
      map: () => this.#maps.current,
    });
    this.#copies = new Copies(this.#peers, (error) => this.#fatal(error));
    this.#damage = new Damage({
      store: this.#store,
      clock: options.clock,
      log: options.log,
      recycle: (list) => options.pool?.giveAll(list),
      changed: () => this.#reporter.soon(),
    });
    this.#removal = new CollectionRemoval({
      store: this.#store,
      clock: options.clock,
      log: options.log,
      isStopped: () => this.#stopped,
      isInUse: (collection) => collection === BENCH_COLLECTION && this.#bench.isRunning,
    });
    this.#trimmer = new SnapTrimmer({
      store: this.#store,
      clock: options.clock,
      log: options.log,
      removedSnaps: (pool) => this.#pgs.removedSnaps(pool),
      damaged: (pg, error) => this.#corruption(error, pg, pg.meta),
      trimmed: (pg) => this.#trimmed(pg.id.pool),
    });
    this.#pgs = new PgTable({
      id: options.id,
      store: this.#store,
      commits: this.#commits,
      clock: options.clock,
      log: options.log,
      maps: this.#maps,
      trimmer: this.#trimmer,
      damage: this.#damage,
      isStopped: () => this.#stopped,
      splitDone: (pool) => {
        this.#trimPool(pool);
        this.#reporter.soon();
      },
      damaged: (pg, error) => this.#corruption(error, pg, pg.meta),
    });
    this.#executor = new Executor({
      store: this.#store,
      commits: this.#commits,
      environment: makeEnvironment({
        clock: options.clock,
        random: options.random,
        maps: this.#maps,
        settings: this.#settings,
        log: (event, fields) => this.#log.debug(event, fields),
      }),
      isBlocklisted: (connection) => this.#isBlocklisted(connection),
      unsupportedOp: (name) => this.#unsupportedOp(name),
      corruption: (error, { pg, message }) =>
        this.#corruption(error, pg, headOf(pg.id.pool, message)),
      recycle: (list) => options.pool?.giveAll(list),
      bug: (error) => this.#fatal(error),
      copy: (request, index, source) => {
        const refuse = (errno: number) => this.#executor.refuse(request, errno);
        this.#copies.start(request, index, source, refuse);
      },
      epoch: () => this.#maps.epoch,
      drops: (request) => this.#fullness.drops(request.message, request.pg.id.pool),
      noSpace: () => this.#fullness.refused(),
    });
  }

  /** What the monitor's options are for this OSD. */
  loadConfig(options: readonly (readonly [name: string, value: string])[]): void {
    this.#settings.load(options);
  }

  get counters(): OsdCounters {
    return this.#counters;
  }

  /** Begins background work: reports, trimming, the removal of pools that are gone. */
  start(): void {
    this.#reporter.start();
    this.#mapChanged();
    this.#reporter.now();
  }

  /** Stops answering. The store is its owner's to close. */
  stop(): void {
    this.#stopped = true;
    this.#reporter.stop();
    this.#trimmer.stop();
    this.#damage.stop();
    this.#peers.stop();
    this.#pgs.splits.stop();
  }

  /** The next epoch from the monitor. */
  handleMap(incremental: Uint8Array, full: Uint8Array): void {
    // One whose disk has failed is told still, and could write down nothing of what is new.
    if (this.#stopped) return;
    if (!this.#maps.advance(incremental, full)) return;
    // Whose writes were dropped, or will be, may have nothing else to tell us and so hear of no map.
    if (this.#fullness.mapChanged(this.#maps.current)) {
      for (const s of this.#sessions) if (s.knownEpoch > 0) this.#shareMap(s.connection, 0);
    }
    this.#mapChanged();
    this.#peers.mapChanged();
    this.#reporter.soon();
    const waiting = this.#waitingForMap;
    this.#waitingForMap = [];
    for (const w of waiting) this.#runOrWait(w);
  }

  // --- Dispatcher -----------------------------------------------------------------------------

  onOpen(connection: Connection): void {
    const session = new Session(connection);
    connection.session = session;
    this.#sessions.add(session);
  }

  onClose(connection: Connection): void {
    const session = connection.session as Session | undefined;
    if (session === undefined) return;
    this.#sessions.delete(session);
    this.#admission.drop(session);
    for (const watch of session.watches) watch.disconnect();
  }

  onMessage(connection: Connection, message: IncomingMessage): void {
    if (this.#stopped) return;
    if (message.type === MOSDOp.type) {
      this.#handleOp(connection, message);
      return;
    }
    try {
      this.#handleOther(connection, message);
    } finally {
      // Nobody keeps anything of these.
      this.#options.pool?.give(message.data);
    }
  }

  #handleOther(connection: Connection, message: IncomingMessage): void {
    switch (message.type) {
      case MPing.type: // a client that holds watches says that it is there
      case MOSDMap.type: // maps come from our monitor
      case MOSDBackoff.type: // an acknowledgement of a backoff; we send none
        return;
      case MCommand.type:
        answerCommand(connection, message, this.#commandHost(), (error) => this.#fatal(error));
        return;
      default:
        this.#unsupportedOp(`message ${message.type}`);
    }
  }

  #handleOp(connection: Connection, incoming: IncomingMessage): void {
    const arrival = this.#decode(connection, incoming);
    const { data, readBytes } = arrival;
    this.#counters.opIn += data.length;
    this.#admission.enter({
      session: connection.session as Session,
      dataBytes: data.length,
      readBytes,
      run: () => this.#runOrWait(arrival),
      keep: () => arrival.keep(),
    });
  }

  #decode(connection: Connection, incoming: IncomingMessage): Arrival {
    try {
      return new Arrival(connection, incoming, this.#images.now());
    } catch (error) {
      this.#options.pool?.give(incoming.data);
      throw error;
    }
  }

  #finish(arrival: Arrival, outBytes: number): void {
    const { connection, data, readBytes } = arrival;
    this.#options.pool?.give(data);
    this.#counters.opOut += outBytes;
    const session = connection.session as Session;
    this.#admission.leave({ session, dataBytes: data.length, readBytes });
  }

  /** Counts from now on what each image is read and written, or does not any more. */
  countImages(isOn: boolean): void {
    this.#images.count(isOn);
  }

  /** Answers a request of another OSD. */
  answer(osd: number, request: PeerMessage): Promise<PeerMessage> {
    return this.#peers.answer(osd, request);
  }

  #runOrWait(arrival: Arrival): void {
    if (this.#stopped) return;
    const { connection, message } = arrival;
    if (!connection.isOpen) return this.#finish(arrival, 0);
    if (message.mapEpoch > this.#maps.epoch) {
      if (this.#waitingForMap.length >= WAITING_FOR_MAP_MAX) {
        connection.close("too many requests for a map that is not here yet");
        return this.#finish(arrival, 0);
      }
      arrival.keep();
      this.#waitingForMap.push(arrival);
      return;
    }
    this.#shareMap(connection, message.mapEpoch);
    const { pgid } = message.pgid;
    const pool = this.#maps.current.pools.get(pgid.pool);
    if (pool === undefined || !this.#isForUs(pool, message)) {
      this.#counters.misdirected++;
      this.#log.debug("dropping a request that is not for us", { tid: arrival.tid });
      return this.#finish(arrival, 0);
    }
    if (this.#copies.holds(pgid.pool, message)) {
      return this.#copies.wait(pgid.pool, message, this.#suspend(arrival));
    }
    const { splits } = this.#pgs;
    if (splits.isPending(pgid)) return splits.wait(pgid, this.#suspend(arrival));
    this.#run(arrival, pool, this.#pgs.get(pgid));
  }

  #suspend(arrival: Arrival): () => void {
    arrival.keep();
    return () => this.#runOrWait(arrival);
  }

  #run(arrival: Arrival, pool: PgPool, pg: Pg): void {
    const { connection, message, tid } = arrival;
    const info = opInfo(message);
    const known = typeof info === "number" ? undefined : info;
    const request: Request = {
      message,
      tid,
      connection,
      pg,
      pgNum: pool.pgNum,
      info: known ?? NO_OP_INFO,
      poolSnaps: poolSnapContext(pool),
      full: poolFullness(pool),
      isCache: pool.cacheMode !== CACHE_MODE.NONE,
      copies: arrival.copies,
      keepCopy: (index, copy) => arrival.keepCopy(index, copy),
      suspend: () => this.#suspend(arrival),
      done: (outBytes, result) => {
        this.#images.over(arrival, { pool: pg.id.pool, info: known, outBytes, result });
        this.#finish(arrival, outBytes);
      },
    };
    this.#counters.op++;
    if (known === undefined) {
      const errno = info as number;
      if (errno === -ERRNO.EOPNOTSUPP || errno === -ERRNO.EPERM)
        for (const name of unsupportedNames(message)) this.#unsupportedOp(name);
      return this.#executor.refuse(request, errno);
    }
    if (known.write) this.#counters.opWrite++;
    else this.#counters.opRead++;
    if (!this.#isCapable(request, pool)) return this.#executor.refuse(request, -ERRNO.EPERM);
    const before = this.#store.lastSubmitted;
    this.#executor.run(request);
    if (this.#store.lastSubmitted === before) return;
    this.#counters.submitted(this.#store.lastSubmitted, this.#options.clock.monotonic());
    this.#fullness.took(arrival.data.length);
  }

  #isCapable(request: Request, pool: PgPool): boolean {
    const { message, connection, info } = request;
    const cap = (connection.session as Session).cap;
    if (cap === undefined) return false;
    return cap.isCapable({
      poolName: this.#maps.current.poolNames.get(request.pg.id.pool) ?? "",
      nspace: message.locator.nspace,
      appMetadata: pool.applicationMetadata,
      object: message.oid,
      read: info.needsRead,
      write: info.needsWrite,
      classCalls: info.calls,
      addr: connection.peerAddr.ip,
    });
  }

  /** Is the request's PG the right one, as its client knows it, and ours? */
  #isForUs(pool: PgPool, message: MOSDOp): boolean {
    const { pgid } = message.pgid;
    if (pgid.seed >= pool.pgNum) return false;
    const isPgOp = message.oid === "";
    if (!isPgOp && seedOf(message.hash, pool.pgNum) !== pgid.seed) return false;
    if (this.#pgs.splits.hasSplitSince(pgid, message.mapEpoch)) return false;
    return this.#pgs.isPrimary(pgid);
  }

  /** A client that is behind gets what it lacks before its reply. */
  #shareMap(connection: Connection, epoch: number): void {
    const session = connection.session as Session;
    session.knownEpoch = Math.max(session.knownEpoch, epoch);
    const message = this.#maps.messageSince(session.knownEpoch);
    if (message === undefined) return;
    connection.send(message);
    session.knownEpoch = this.#maps.epoch;
  }

  #isBlocklisted(connection: Connection): boolean {
    return isBlocklisted(this.#maps.current, connection.peerAddr);
  }

  // --- Maps -----------------------------------------------------------------------------------

  #mapChanged(): void {
    const map = this.#maps.current;
    this.#pgs.mapChanged(map);
    this.#firstObjects.make(map, (id) => this.#pgs.own(id));
    this.#removeOrphans(map);
    for (const pool of map.pools.keys()) this.#trimPool(pool);
  }

  #trimPool(pool: number): void {
    if (this.#pgs.removedSnaps(pool).isEmpty) return;
    for (const pg of this.#pgs.primaries(pool)) {
      if (!this.#trimmer.pending(pg).isEmpty) this.#trimmer.enqueue(pg);
    }
    this.#trimmed(pool);
  }

  /** Reports the snaps that all our PGs of the pool have purged. */
  #trimmed(pool: number): void {
    const map = this.#maps.current;
    // While the map calls us down we have no PGs in it; those that we will have again have trimmed nothing.
    if (!isUp(map, this.#options.id)) return;
    // What is being taken apart trims nothing meanwhile, and is asked when it is over.
    if (this.#pgs.splits.isBusy(pool)) return;
    const done = this.#pgs.removedSnaps(pool).clone();
    for (const pg of this.#pgs.primaries(pool)) done.intersect(pg.info.purgedSnaps);
    if (done.isEmpty) return;
    // The monitor forgets a purged snap for good: what was trimmed must be on disk before it hears of it.
    this.#commits.after(this.#store.lastSubmitted, () => this.#options.snapsPurged(pool, done));
  }

  /** Collections of pools that are gone are emptied and removed. */
  #removeOrphans(map: OsdMap): void {
    for (const collection of this.#store.collections()) {
      const pool = Number(collection.split(".")[0]);
      if (map.pools.has(pool) || collection === PG_NUMS_COLLECTION) continue;
      this.#removal.begin(collection);
    }
  }

  // --- Reports and commands -------------------------------------------------------------------

  #report(): Omit<OsdReport, "seq"> {
    this.#fullness.look();
    this.#damage.review();
    return {
      epoch: this.#maps.epoch,
      statfs: this.#store.statfs(),
      fullness: this.#fullness.level,
      pgs: this.#pgs.reports(),
      perf: { commitLatencyMs: this.#counters.commitLatencyMs, applyLatencyMs: 0 },
      images: this.#images.take(),
      overrides: new Map(this.#settings.overrides),
    };
  }

  /** Answers a command of whoever may do everything, one JSON object. */
  command(json: string): Promise<Answer> {
    return runCommand(this.#commandHost(), json);
  }

  #commandHost(): CommandHost {
    return {
      id: this.#options.id,
      fsid: this.#maps.current.fsid,
      version: this.#options.version,
      epoch: this.#maps.epoch,
      pgs: this.#pgs.size,
      counters: this.#counters,
      bench: this.#bench,
      settings: this.#settings,
      report: () => this.#reporter.now(),
      compact: () => this.#compact(),
    };
  }

  async #compact(): Promise<number> {
    const { clock } = this.#options;
    const start = clock.monotonic();
    await this.#store.compact();
    return (clock.monotonic() - start) / 1000;
  }

  // --- Trouble --------------------------------------------------------------------------------

  #durable(seq: number): void {
    this.#counters.durable(seq, () => this.#options.clock.monotonic());
    this.#commits.advance(seq);
  }

  #unsupportedOp(name: string): void {
    this.#counters.countUnsupported(name);
    this.#log.warn("not supported", { op: name });
  }

  /**
   * @param asked the PG that somebody was busy with
   * @param head of the object that he was busy with
   */
  #corruption(error: CorruptionError, asked: Pg, head: HObject): void {
    // It may have split since.
    const { pool } = asked.id;
    const pgNum = this.#maps.current.pools.get(pool)?.pgNum;
    const id: PgId = pgNum === undefined ? asked.id : { pool, seed: seedOf(head.hash, pgNum) };
    const pg = this.#pgs.splits.isPending(id) || head.oid === "" ? asked : this.#pgs.get(id);
    if (!this.#damage.found(pg, head, error)) return;
    this.#log.error("an object does not read as it was written", {
      pg: pg.collection,
      object: error.object,
      why: error.message,
    });
    this.#options.corruption(error.object);
  }

  #fatal(error: Error): void {
    if (this.#stopped) return;
    this.#log.error("stopping", { why: error.message });
    this.stop();
    for (const session of this.#sessions) session.connection.close("the OSD has failed");
    this.#options.fatal(error);
  }
}
