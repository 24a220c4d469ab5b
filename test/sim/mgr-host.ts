/** What the parts of the manager's rbd_support need of it, on a client of the simulated server. */
import { byteString } from "../../src/encoding/index.ts";
import type { ModuleHost } from "../../src/mgr/rbd-support/host.ts";
import type { RbdSupportOptions } from "../../src/mgr/rbd-support/support.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import type { RbdContext } from "../../src/rbd/index.ts";
import type { BenchClient } from "./bench.ts";

/** What the whole of it is given, but for how it connects: a monitor's state that says nothing of any option. */
export function moduleState({ context }: BenchClient): Omit<RbdSupportOptions, "connect"> {
  const { clock, random, log } = context;
  const state = { clock, mgrMap: () => ({ activeName: "x" }), host: "", config: NO_OPTIONS };
  const progress = { update: () => undefined, complete: () => undefined, fail: () => undefined };
  return { state, progress, random, log } as unknown as Omit<RbdSupportOptions, "connect">;
}

const NO_OPTIONS = { resolve: () => new Map<string, never>() };

/** @param through what the pools that it opens by name go through */
export function moduleHost(
  { context }: BenchClient,
  through: (io: IoCtx) => IoCtx = (io) => io,
): {
  host: ModuleHost;
  /** How each task has ended. */
  ended: string[];
} {
  const ended: string[] = [];
  const progress = {
    update: () => undefined,
    complete: () => ended.push("done"),
    fail: (_id: string, why: string) => ended.push(why),
  };
  const { clock, random, log, rados } = context;
  const pool = (name: string, nspace: string) =>
    rados.openPool(byteString(name), byteString(nspace)).then(through);
  const parts = {
    clock,
    random,
    log,
    progress,
    option: () => undefined,
    setOption: async () => undefined,
    rbd: async (): Promise<RbdContext> => context,
    openPool: pool,
  };
  return { host: parts as unknown as ModuleHost, ended };
}
