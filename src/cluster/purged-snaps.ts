/**
 * When is a removed snap purged? When every OSD says so. Each OSD reports the snaps that all its PGs of a
 * pool have purged; the monitor is told of those that all OSDs have.
 */

import { IntervalSet } from "../types/index.ts";

export class PurgedSnaps {
  readonly #osds: number;
  readonly #tell: (pool: number, snaps: IntervalSet) => void;
  /** By pool, then by OSD. */
  readonly #reported = new Map<number, Map<number, IntervalSet>>();

  constructor(osds: number, tell: (pool: number, snaps: IntervalSet) => void) {
    this.#osds = osds;
    this.#tell = tell;
  }

  report(osd: number, pool: number, snaps: IntervalSet): void {
    let byOsd = this.#reported.get(pool);
    if (byOsd === undefined) {
      byOsd = new Map();
      this.#reported.set(pool, byOsd);
    }
    byOsd.set(osd, snaps);
    if (byOsd.size < this.#osds) return;
    const common = snaps.clone();
    for (const other of byOsd.values()) common.intersect(other);
    if (!common.isEmpty) this.#tell(pool, common);
  }
}
