/** The verbs of the `spirula` command. Each loads its own room, so that none pays for another. */

import type { Verb } from "./verb.ts";

export const VERBS: Readonly<Record<string, Verb>> = {
  start: {
    summary: "run a cluster in the foreground",
    run: async (args) => (await import("./start.ts")).runStart(args),
    complete: async (words) => (await import("./start.ts")).completeStart(words),
  },
  ceph: {
    summary: "administer a cluster, this one or any other: Ceph's own command",
    run: async (args) => (await import("./ceph/index.ts")).runCeph(args),
    complete: async (words) => (await import("./ceph/index.ts")).completeCeph(words),
  },
  fsck: {
    summary: "check a data directory that is not in use",
    run: async (args) => (await import("./fsck.ts")).runFsck(args),
    complete: async (words) => (await import("./fsck.ts")).completeFsck(words),
  },
  store: {
    summary: "look into a data directory that is not in use",
    run: async (args) => (await import("./store.ts")).runStore(args),
    complete: async (words) => (await import("./store.ts")).completeStore(words),
  },
  rbd: {
    summary: "manage images of any cluster, as rbd does",
    run: async (args) => (await import("./rbd/index.ts")).runRbd(args),
    complete: async (words) => (await import("./rbd/complete.ts")).completeRbd(words),
  },
  rados: {
    summary: "objects and pools of any cluster, as Ceph's rados",
    run: async (args) => (await import("./rados/index.ts")).runRados(args),
    complete: async (words) => (await import("./rados/index.ts")).completeRados(words),
  },
  transfer: {
    summary: "bring a pool's images to another cluster, with snapshots and clones",
    run: async (args) => (await import("./transfer.ts")).runTransfer(args),
    complete: async (words) => (await import("./transfer.ts")).completeTransfer(words),
  },
  completion: {
    summary: "have the shell complete these words",
    run: async (args) => (await import("./completion.ts")).runCompletion(args, VERBS),
    complete: async (words) => (await import("./completion.ts")).completeCompletion(words),
  },
};
