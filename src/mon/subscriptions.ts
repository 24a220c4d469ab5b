/**
 * Subscriptions: who is told what, and when. `start` is the first version wanted: what exists already is
 * sent at once, the rest when it comes. A one-time subscription ends with the first answer.
 * MMonSubscribeAck is never sent: peers of every supported release do without.
 * ceph: src/mon/Monitor.cc handle_subscribe, src/mon/OSDMonitor.cc check_osdmap_sub
 */

import type { Logger } from "../base/index.ts";
import { byteString, encodeToBytes } from "../encoding/index.ts";
import { MgrMap, MonMap } from "../maps/index.ts";
import {
  type LogEntry,
  MConfig,
  MLog,
  MMgrMap,
  MMonMap,
  type MMonSubscribe,
  MOSDMap,
  SUBSCRIBE_ONETIME,
} from "../messages/index.ts";
import type { ClusterState } from "./commands/context.ts";
import { CLOG_LEVELS } from "./services/log.ts";
import type { MonSession, Subscription } from "./session.ts";

/** Maps in one message, as upstream's `osd map message max`. */
export const OSDMAPS_PER_MESSAGE = 40;

/** One kind of subscription: may this peer have it, and send what is new to it. */
interface Topic {
  allowed(session: MonSession): boolean;
  /** True if something was sent. */
  send(session: MonSession, subscription: Subscription): boolean;
}

export class Subscriptions {
  readonly #state: ClusterState;
  readonly #log: Logger;
  readonly #topics: Readonly<Record<string, Topic>>;

  constructor(state: ClusterState, log: Logger) {
    this.#state = state;
    this.#log = log;
    this.#topics = {
      monmap: { allowed: () => true, send: (s, sub) => this.#sendMonMap(s, sub) },
      config: { allowed: () => true, send: (s, sub) => this.#sendConfig(s, sub) },
      mgrmap: { allowed: (s) => s.mayRead("mon"), send: (s, sub) => this.#sendMgrMap(s, sub) },
      osdmap: {
        allowed: (s) => s.mayRead("mon") && s.mayRead("osd"),
        send: (s, sub) => this.#sendOsdMap(s, sub),
      },
    };
  }

  #topic(what: string): Topic | undefined {
    if (Object.hasOwn(this.#topics, what)) return this.#topics[what];
    if (!what.startsWith("log-") || !CLOG_LEVELS.includes(what.slice(4))) return undefined;
    const level = CLOG_LEVELS.indexOf(what.slice(4));
    return {
      allowed: (session) => session.mayRead("mon"),
      send: (session, subscription) => this.#sendLog(session, subscription, level),
    };
  }

  /** Takes a peer's wishes and answers what can be answered now. */
  handle(session: MonSession, message: MMonSubscribe): void {
    session.host = message.hostname;
    for (const [what, { start, flags }] of message.what) {
      const topic = this.#topic(what);
      if (topic === undefined) {
        // There is no reply type for a refusal: upstream, too, leaves the peer waiting.
        this.#log.info("subscription to something we do not have", { what });
        continue;
      }
      if (!topic.allowed(session)) {
        this.#log.info("subscription denied", { what, peer: session.identity.entity.id });
        continue;
      }
      const onetime = (flags & SUBSCRIBE_ONETIME) !== 0;
      session.subscriptions.set(what, { next: start, onetime });
      this.#check(session, what, topic);
    }
  }

  #check(session: MonSession, what: string, topic: Topic): void {
    const subscription = session.subscriptions.get(what);
    if (subscription === undefined || !session.connection.isOpen) return;
    if (topic.send(session, subscription) && subscription.onetime) {
      session.subscriptions.delete(what);
    }
  }

  /** Something of a kind is new: everybody who waits for it is told. */
  publish(sessions: Iterable<MonSession>, what: string): void {
    const topic = this.#topic(what);
    if (topic === undefined) return;
    for (const session of sessions) this.#check(session, what, topic);
  }

  publishLog(sessions: Iterable<MonSession>, entry: LogEntry): void {
    for (const session of sessions) {
      // A priority is what its sender made of it: no more levels than there are.
      for (const level of CLOG_LEVELS.slice(0, entry.prio + 1)) {
        const what = `log-${level}`;
        const subscription = session.subscriptions.get(what);
        if (subscription === undefined) continue;
        this.#sendEntry(session, entry);
        subscription.next = this.#state.log.version + 1;
        if (subscription.onetime) session.subscriptions.delete(what);
        break;
      }
    }
  }

  /** The newest line there is; later ones are sent as they come. */
  #sendLog(session: MonSession, subscription: Subscription, level: number): boolean {
    const { log } = this.#state;
    const [entry] = subscription.next > log.version ? [] : log.last(1, level, "*");
    if (entry === undefined) return false;
    this.#sendEntry(session, entry);
    subscription.next = log.version + 1;
    return true;
  }

  /** The version matters: clients pass over what is not newer than what they have. */
  #sendEntry(session: MonSession, entry: LogEntry): void {
    const { log, fsid } = this.#state;
    session.send(MLog, { version: log.version, fsid, entries: [entry] });
  }

  sendMonMap(session: MonSession): void {
    session.send(MMonMap, { monmap: encodeToBytes(MonMap, this.#state.monMap) });
  }

  #sendMonMap(session: MonSession, subscription: Subscription): boolean {
    const { epoch } = this.#state.monMap;
    if (subscription.next > epoch) return false;
    this.sendMonMap(session);
    subscription.next = epoch + 1;
    return true;
  }

  #sendConfig(session: MonSession, subscription: Subscription): boolean {
    const { config } = this.#state;
    if (subscription.next > config.version) return false;
    const options = config.resolve(session.identity.entity, session.host);
    const values = [...options].map(
      ([name, entry]) => [byteString(name), byteString(entry.value)] as const,
    );
    subscription.next = config.version + 1;
    const text = JSON.stringify(values);
    // Unchanged options of a later version are not sent again.
    if (session.config === text && !subscription.onetime) return false;
    session.config = text;
    session.send(MConfig, { config: new Map(values) });
    return true;
  }

  #sendMgrMap(session: MonSession, subscription: Subscription): boolean {
    const map = this.#state.mgrMap();
    if (subscription.next > map.epoch) return false;
    session.send(MMgrMap, { map: encodeToBytes(MgrMap, map) });
    subscription.next = map.epoch + 1;
    return true;
  }

  #sendOsdMap(session: MonSession, subscription: Subscription): boolean {
    const { maps } = this.#state;
    const { epoch } = maps.map;
    if (subscription.next > epoch) return false;
    this.sendOsdMaps(session, subscription.next);
    subscription.next = epoch + 1;
    return true;
  }

  /** Maps from an epoch on (0: just the newest in full), as incrementals where we have them. */
  sendOsdMaps(session: MonSession, from: number): void {
    const { maps, fsid } = this.#state;
    const { epoch } = maps.map;
    const head = { fsid, oldest: maps.oldestEpoch, newest: epoch };
    const incrementals = from === 0 ? undefined : maps.since(from - 1);
    if (incrementals === undefined) {
      session.send(MOSDMap, {
        ...head,
        // A client that lacks epochs in between jumps to the oldest it is told of: that must be this one.
        oldest: epoch,
        incrementals: new Map(),
        maps: new Map([[epoch, maps.full]]),
      });
      return;
    }
    for (let at = 0; at < incrementals.length; at += OSDMAPS_PER_MESSAGE) {
      const part = incrementals.slice(at, at + OSDMAPS_PER_MESSAGE);
      session.send(MOSDMap, {
        ...head,
        incrementals: new Map(part.map((bytes, i) => [from + at + i, bytes])),
        maps: new Map(),
      });
    }
  }
}
