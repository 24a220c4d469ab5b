/**
 * The `spirula` command: picks the verb and loads its room, so that no verb pays for another.
 */

import process from "node:process";
import { ConfigError, stayAwake } from "../base/index.ts";
import { VERSION } from "../cluster/version.ts";

interface Verb {
  readonly summary: string;
  run(args: string[]): Promise<number>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  start: {
    summary: "run a cluster in the foreground",
    run: async (args) => (await import("./start.ts")).runStart(args),
  },
  ceph: {
    summary: "administer a cluster, this one or any other: Ceph's own command",
    run: async (args) => (await import("./ceph/index.ts")).runCeph(args),
  },
  fsck: {
    summary: "check a data directory that is not in use",
    run: async (args) => (await import("./fsck.ts")).runFsck(args),
  },
  store: {
    summary: "look into a data directory that is not in use",
    run: async (args) => (await import("./store.ts")).runStore(args),
  },
  rbd: {
    summary: "manage images of any cluster, as rbd does",
    run: async (args) => (await import("./rbd/index.ts")).runRbd(args),
  },
  rados: {
    summary: "objects and pools of any cluster, as Ceph's rados",
    run: async (args) => (await import("./rados/index.ts")).runRados(args),
  },
  transfer: {
    summary: "bring a pool's images to another cluster, with snapshots and clones",
    run: async (args) => (await import("./transfer.ts")).runTransfer(args),
  },
};

function usage(): string {
  const verbs = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)} ${verb.summary}`);
  return `usage: spirula <command> [options]\n\n${verbs.join("\n")}\n\n'spirula <command> --help' tells more.\n`;
}

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(usage());
    return name === undefined ? 1 : 0;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`spirula ${VERSION}\n`);
    return 0;
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    process.stderr.write(`spirula: unknown command '${name}'\n${usage()}`);
    return 1;
  }
  return await stayAwake(verb.run(rest));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`spirula: ${error.message}\n`);
  process.exitCode = 1;
}
