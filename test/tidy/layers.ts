/**
 * Who may import whom: the one place where the house's floor plan is written down.
 *
 * Imports go downwards only, and into another room only through its `index.ts`. Everyone may use `base`
 * and `encoding`; every room above `types` may use `types`. Servers meet libraries only in messages, maps,
 * types and the classes' argument codecs.
 */

/** Rooms each room may import from, besides what everyone may. */
export const LAYERS: Record<string, readonly string[]> = {
  base: [],
  encoding: [],
  types: [],
  crush: [],
  config: [],
  maps: ["crush"],
  auth: [],
  messages: ["maps", "auth"],
  messenger: ["auth"],
  cls: [],
  librbd: ["librados", "rbd", "rados", "cls", "config"],
  // Of the classes only the types and the argument codecs: see CODECS_ONLY.
  rados: ["messenger", "messages", "maps", "crush", "auth", "cls"],
  librados: ["rados", "messenger", "messages", "maps", "auth", "config"],
  rbd: ["rados", "messages", "cls"],
  store: [],
  mon: ["messenger", "messages", "maps", "crush", "auth", "store", "config"],
  mgr: [
    "rados",
    "rbd",
    "cls",
    "mon",
    "messenger",
    "messages",
    "maps",
    "crush",
    "auth",
    "store",
    "config",
  ],
  osd: ["messenger", "messages", "maps", "crush", "auth", "store", "cls", "config"],
  cluster: [
    "rados",
    "mon",
    "mgr",
    "osd",
    "store",
    "messenger",
    "messages",
    "auth",
    "maps",
    "crush",
  ],
  cli: [
    "librados",
    "librbd",
    "rados",
    "config",
    "cluster",
    "mon",
    "mgr",
    "osd",
    "store",
    "messenger",
    "messages",
    "auth",
    "maps",
    "crush",
  ],
};

/** What everyone may use, provided the room is above it. */
export const COMMON: readonly string[] = ["base", "encoding", "types"];

/** Rooms that stand below `types` or beside it and so may not use it. */
export const BELOW_TYPES: readonly string[] = ["base", "encoding", "types"];

/**
 * Files of a room that other rooms may import besides its index: the classes' argument codecs, and the
 * version, which the command prints without loading a cluster.
 */
export const DEEP_IMPORTS: readonly RegExp[] = [
  /^cls\/[\w-]+\/(types|ops)(\/[\w-]+)?\.ts$/,
  /^cluster\/version\.ts$/,
];

/** Rooms that may use only those files of `cls`: a client must never come to run a method itself. */
export const CODECS_ONLY: readonly string[] = ["rados", "rbd", "mgr", "librbd"];

/** Files that may touch time, randomness, sockets or files; each is one door to the outside. */
export const DOORS: readonly RegExp[] = [
  /^base\/(clock|random)(\/[\w-]+|-[\w-]+)?\.ts$/,
  /^messenger\/transport\//,
  /^store\/disk(\/[\w-]+|-[\w-]+)?\.ts$/,
];

/** Where start-up code lives, which may read and write files but not keep time or roll dice. */
export const START_UP_ROOMS: readonly string[] = ["cluster", "cli", "librados"];

export interface Banned {
  pattern: RegExp;
  why: string;
  /** Files excepted besides the doors. */
  except?: (path: string) => boolean;
}

const inRoom = (path: string, rooms: readonly string[]): boolean =>
  rooms.includes(path.split("/")[0] ?? "");

/** What source outside the doors must not say. Comments and strings are not looked at. */
export const BANNED: readonly Banned[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, why: "time comes from base/clock" },
  {
    pattern: /\bperformance\.now\(/,
    why: "time comes from base/clock",
    // How long the start took is counted from the process's own first moment.
    except: (path) => path === "cli/start.ts",
  },
  { pattern: /\bprocess\.hrtime\b/, why: "time comes from base/clock" },
  { pattern: /\bMath\.random\(/, why: "randomness comes from base/random" },
  { pattern: /\b(randomBytes|randomUUID|randomInt)\(/, why: "randomness comes from base/random" },
  {
    pattern: /(?<![.\w#])(setTimeout|setInterval|setImmediate)\(/,
    why: "timers come from base/clock",
  },
  {
    pattern: /(?<![.\w#])console\./,
    why: "console is for the command line only",
    except: (path) => inRoom(path, ["cli"]),
  },
];

/** Modules that only the doors (and start-up code, for files) may import. */
export const BANNED_MODULES: readonly Banned[] = [
  {
    pattern: /^node:(net|tls|dgram|dns|http|https)$/,
    why: "sockets belong to messenger/transport",
    // Ask Node only what an address is; open nothing.
    except: (path) => path === "auth/caps/network.ts" || path === "cli/ceph/address-argument.ts",
  },
  {
    pattern: /^node:fs(\/promises)?$/,
    why: "files belong to store/disk and to start-up",
    except: (path) => inRoom(path, START_UP_ROOMS),
  },
];

/** Longest file, in lines; tables and vectors say so in their first lines. */
export const FILE_LINES_MAX = 600;
/** A file whose head says this is a table is exempt from the line limit. */
export const TABLE_MARK = /\btable\b/i;
