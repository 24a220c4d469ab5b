/**
 * The ways to the OSDs: one session for each instance of an OSD that is asked for something, opened again
 * for as long as the map has that instance up.
 * ceph: src/osdc/Objecter.cc OSDSession
 */

import { isUp, type OsdMap } from "../maps/index.ts";
import type { Connection } from "../messenger/index.ts";
import { type AddrVec, ENTITY_TYPE, formatAddrVec } from "../types/index.ts";
import { Backoffs } from "./backoffs.ts";
import { type LinkContext, ServiceLink } from "./service-link.ts";

/** Wait before an OSD is tried again, milliseconds. */
const RETRY_MS = 200;

/** The way to one instance of an OSD. */
export interface OsdSession {
  readonly osd: number;
  /** Address and the epoch it came up in: another instance is another session. */
  readonly instance: string;
  readonly link: ServiceLink;
  /** The last map that it was found to be the OSD's in. */
  seenIn: OsdMap;
  /** Of the link there is now. */
  backoffs: Backoffs;
}

export class OsdSessions {
  readonly #context: LinkContext;
  readonly #onOpen: () => void;
  readonly #sessions = new Map<number, OsdSession>();

  /** @param onOpen a session has got its link */
  constructor(context: LinkContext, onOpen: () => void) {
    this.#context = context;
    this.#onOpen = onOpen;
  }

  close(): void {
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
    const link = new ServiceLink(this.#context, {
      service: ENTITY_TYPE.OSD,
      addrs,
      retryMs: RETRY_MS,
      onOpen: () => {
        session.backoffs = new Backoffs();
        this.#onOpen();
      },
    });
    const session: OsdSession = { osd, instance, link, seenIn: map, backoffs: new Backoffs() };
    this.#sessions.set(osd, session);
    return session;
  }

  /** Whose link it is; undefined if it is no session's any more. */
  on(connection: Connection): OsdSession | undefined {
    for (const session of this.#sessions.values()) {
      if (session.link.connection === connection) return session;
    }
    return undefined;
  }

  onClose(connection: Connection): void {
    this.on(connection)?.link.onClose(connection);
  }

  /** Whoever is down or new by this epoch has to be asked anew. */
  dropOldInstances(map: OsdMap): void {
    for (const session of this.#sessions.values()) {
      const { osd, instance } = session;
      if (isUp(map, osd) && instanceOf(map, osd).instance === instance) continue;
      this.#end(session);
    }
  }

  #end(session: OsdSession): void {
    if (this.#sessions.get(session.osd) === session) this.#sessions.delete(session.osd);
    session.link.close();
  }
}

function instanceOf(map: OsdMap, osd: number): { addrs: AddrVec; instance: string } {
  const addrs = map.clientAddrs[osd] ?? [];
  return { addrs, instance: `${formatAddrVec(addrs)} ${map.osdInfo[osd]?.upFrom ?? 0}` };
}
