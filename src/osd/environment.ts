/** What operations may ask of the OSD around them. */

import type { Clock, Random } from "../base/index.ts";
import { locateObject } from "../maps/index.ts";
import { utimeFromMs } from "../types/index.ts";
import type { OpEnvironment } from "./op-context.ts";
import type { OsdMaps } from "./osd-maps.ts";
import type { OsdSettings } from "./settings.ts";

/** Bytes of the store's allocation unit, as class methods may ask for it. */
const MIN_ALLOC_SIZE = 4096;

/** One for all requests: `now` is the time of asking. */
export function makeEnvironment(of: {
  readonly clock: Clock;
  readonly random: Random;
  readonly maps: OsdMaps;
  readonly log: OpEnvironment["log"];
  readonly settings: OsdSettings;
}): OpEnvironment {
  const { clock, random, maps, settings } = of;
  let notifications = 0;
  return {
    get now() {
      return utimeFromMs(clock.now());
    },
    locate: (locator, oid) => locateObject(maps.current, locator, oid),
    random: (bytes) => random.bytes(bytes),
    nextNotifyId: () => (BigInt(maps.epoch) << 32n) + BigInt(++notifications),
    log: of.log,
    minAllocSize: MIN_ALLOC_SIZE,
    get objectSizeMax() {
      return settings.objectSizeMax;
    },
    get writeSizeMax() {
      return settings.writeSizeMax;
    },
    get requireOsdRelease() {
      return maps.current.requireOsdRelease;
    },
    get requireMinCompatClient() {
      return maps.current.requireMinCompatClient;
    },
  };
}
