/** Objects that a cluster is born with: each is made once its PG is ours. */

import type { Clock } from "../base/index.ts";
import { locateObject, type OsdMap } from "../maps/index.ts";
import { type PgId, utimeFromMs } from "../types/index.ts";
import type { Pg } from "./pg.ts";

/** An object of a new cluster. */
export interface FirstObject {
  readonly pool: number;
  readonly oid: string;
  readonly data: Uint8Array;
}

export class FirstObjects {
  #left: readonly FirstObject[];
  readonly #clock: Clock;

  constructor(objects: readonly FirstObject[], clock: Clock) {
    this.#left = objects;
    this.#clock = clock;
  }

  /** @param ownPg the PG of that id if it is ours */
  make(map: OsdMap, ownPg: (id: PgId) => Pg | undefined): void {
    this.#left = this.#left.filter(({ pool, oid, data }) => {
      const at = locateObject(map, { pool, nspace: "", key: "" }, oid);
      const pg = at && ownPg(at.pg);
      if (at === undefined || pg === undefined) return true;
      pg.makeObject(oid, at.hash, data, utimeFromMs(this.#clock.now()));
      return false;
    });
  }
}
