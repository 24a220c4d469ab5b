import { expect, test } from "vitest";
import { ClientConfig } from "../config/index.ts";
import { cacheOptions } from "./cache-options.ts";

const FACTS = { cluster: "ceph", type: "client", id: "a", host: "h", pid: 1, home: "" };

function config(options: Readonly<Record<string, string>>): ClientConfig {
  const made = new ClientConfig(FACTS);
  expect(made.load("override", Object.entries(options))).toEqual([]);
  return made;
}

test("an image is cached only if that is asked for, and as it is asked for", () => {
  const none = config({});
  expect(cacheOptions(undefined, none)).toBeUndefined();
  expect(cacheOptions(false, none)).toBeUndefined();
  expect(cacheOptions({ size: 5 }, config({ rbd_cache: "false" }))).toEqual({ size: 5 });
});

test("the client's options are librbd's, with its defaults", () => {
  expect(cacheOptions(true, config({ rbd_cache: "false" }))).toBeUndefined();
  expect(cacheOptions(true, config({}))).toEqual({
    policy: "writearound",
    size: 32 << 20,
    maxDirty: 24 << 20,
    targetDirty: 16 << 20,
    maxDirtyAgeMs: 1000,
    writethroughUntilFlush: true,
    readAhead: { triggerRequests: 10, maxBytes: 512 << 10, disableAfterBytes: 50 << 20 },
  });
  const set = {
    rbd_cache_policy: "writeback",
    rbd_cache_size: "1M",
    rbd_cache_max_dirty: "0",
    rbd_cache_target_dirty: "4096",
    rbd_cache_max_dirty_age: "0.5",
    rbd_cache_writethrough_until_flush: "false",
    rbd_readahead_trigger_requests: "3",
    rbd_readahead_max_bytes: "0",
    rbd_readahead_disable_after_bytes: "7",
  };
  expect(cacheOptions(true, config(set))).toEqual({
    policy: "writeback",
    size: 1 << 20,
    maxDirty: 0,
    targetDirty: 4096,
    maxDirtyAgeMs: 500,
    writethroughUntilFlush: false,
    readAhead: { triggerRequests: 3, maxBytes: 0, disableAfterBytes: 7 },
  });
});
