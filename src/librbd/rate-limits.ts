/** How fast an image may be read and written: as a program asks for it, or as options have it. */

import type { ClientConfig } from "../config/index.ts";
import type { RateLimit, RateLimits } from "../rbd/index.ts";

/**
 * As the client's options `rbd_qos_…` have it.
 * @returns undefined: as fast as it goes  ceph: src/librbd/ImageCtx.cc apply_metadata
 */
export function configuredLimits(config: ClientConfig): RateLimits | undefined {
  const number = (name: string) => config.getNumber(`rbd_qos_${name}`);
  const limits = Object.fromEntries(
    Object.entries(NAMES).flatMap(([key, name]): [string, RateLimit][] => {
      const limit = number(`${name}_limit`);
      if (limit === 0) return [];
      const [burst, burstSeconds] = [number(`${name}_burst`), number(`${name}_burst_seconds`)];
      return [[key, { limit, burst, burstSeconds }]];
    }),
  );
  if (Object.keys(limits).length === 0) return undefined;
  return { ...limits, tickMs: number("schedule_tick_min") };
}

const NAMES = {
  iops: "iops",
  bps: "bps",
  readIops: "read_iops",
  readBps: "read_bps",
  writeIops: "write_iops",
  writeBps: "write_bps",
} as const;
