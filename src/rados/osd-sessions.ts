/**
 * The ways to the OSDs: one session for each instance of an OSD that is asked for something, opened again
 * for as long as the map has that instance up.
 * ceph: src/osdc/Objecter.cc OSDSession
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  type Random,
  randomU32,
  sleep,
} from "../base/index.ts";
import { isUp, type OsdMap } from "../maps/index.ts";
import type { Connection, Messenger } from "../messenger/index.ts";
import { type AddrVec, ENTITY_TYPE, formatAddrVec } from "../types/index.ts";
import { Backoffs } from "./backoffs.ts";

/** Wait before an OSD is tried again, milliseconds; half to one and a half times that. */
const RETRY_MS = 200;

/** The way to one instance of an OSD. */
export interface OsdSession {
  readonly osd: number;
  readonly addrs: AddrVec;
  /** Address and the epoch it came up in: another instance is another session. */
  readonly instance: string;
  /** The last map that it was found to be the OSD's in. */
  seenIn: OsdMap;
  connection: Connection | undefined;
  backoffs: Backoffs;
  isClosed: boolean;
}

export interface OsdSessionsOptions {
  readonly auth: ClientAuth;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** New tickets are wanted: an OSD has refused ours. */
  readonly renewTickets: () => void;
  /** A session has got its link. */
  readonly onOpen: () => void;
}

export class OsdSessions {
  readonly #options: OsdSessionsOptions;
  readonly #sessions = new Map<number, OsdSession>();
  #isClosed = false;

  constructor(options: OsdSessionsOptions) {
    this.#options = options;
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) this.#end(session);
  }

  /** The session with an OSD that the map has up; its link may be on its way. */
  get(map: OsdMap, osd: number): OsdSession {
    const known = this.#sessions.get(osd);
    if (known?.seenIn === map) return known;
    const { addrs, instance } = instanceOf(map, osd);
    if (known?.instance === instance) {
      known.seenIn = map;
      return known;
    }
    if (known !== undefined) this.#end(known);
    const session: OsdSession = {
      osd,
      addrs,
      instance,
      seenIn: map,
      connection: undefined,
      backoffs: new Backoffs(),
      isClosed: false,
    };
    this.#sessions.set(osd, session);
    this.#open(session);
    return session;
  }

  /** Whose link it is; undefined if it is no session's any more. */
  on(connection: Connection): OsdSession | undefined {
    for (const session of this.#sessions.values()) {
      if (session.connection === connection) return session;
    }
    return undefined;
  }

  onClose(connection: Connection): void {
    const session = this.on(connection);
    if (session === undefined) return;
    session.connection = undefined;
    if (!this.#isClosed) this.#open(session);
  }

  /** Whoever is down or new by this epoch has to be asked anew. */
  dropOldInstances(map: OsdMap): void {
    for (const session of this.#sessions.values()) {
      const { osd, instance } = session;
      if (isUp(map, osd) && instanceOf(map, osd).instance === instance) continue;
      this.#end(session);
    }
  }

  #open(session: OsdSession): void {
    this.#connect(session).catch((error: unknown) => {
      this.#options.log.error("session with an OSD", { why: String(error) });
    });
  }

  async #connect(session: OsdSession): Promise<void> {
    const { auth, messenger, clock, random, log } = this.#options;
    while (!session.isClosed && session.connection === undefined) {
      try {
        const connection = await messenger.connect(
          session.addrs,
          ENTITY_TYPE.OSD,
          auth.serviceInitiator(ENTITY_TYPE.OSD),
          { globalId: auth.globalId },
        );
        if (session.isClosed) return connection.close("not needed any more");
        // Lost again before we could know it: its end has been told already.
        if (!connection.isOpen) continue;
        session.connection = connection;
        session.backoffs = new Backoffs();
      } catch (error) {
        log.debug("OSD not reached", { osd: session.osd, why: (error as Error).message });
        if (error instanceof CephError && error.errno === -ERRNO.EACCES) {
          auth.dropTicket(ENTITY_TYPE.OSD);
          this.#options.renewTickets();
        }
        await sleep(clock, RETRY_MS * (0.5 + (randomU32(random) % 1000) / 1000));
      }
    }
    if (!session.isClosed) this.#options.onOpen();
  }

  #end(session: OsdSession): void {
    session.isClosed = true;
    if (this.#sessions.get(session.osd) === session) this.#sessions.delete(session.osd);
    session.connection?.close("not needed any more");
  }
}

function instanceOf(map: OsdMap, osd: number): { addrs: AddrVec; instance: string } {
  const addrs = map.clientAddrs[osd] ?? [];
  return { addrs, instance: `${formatAddrVec(addrs)} ${map.osdInfo[osd]?.upFrom ?? 0}` };
}
