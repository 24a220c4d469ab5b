/**
 * Which of the manager's modules are on.
 *
 * All that there are here are on for good in this release, as upstream's of these names; the others can be put
 * into the map, and health then says that they do not run.
 * ceph: src/mon/MgrMonitor.cc, src/mon/MgrMap.h, src/mgr/PyModuleRegistry.cc get_health_checks
 */

import { Turns } from "../../base/index.ts";
import { byteString } from "../../encoding/index.ts";
import type { MgrMap, MgrModuleInfo } from "../../maps/index.ts";
import { CEPH_RELEASE } from "../../maps/index.ts";
import { type MonStore, put } from "../mon-store.ts";
import { Refusal } from "./osd-pools.ts";

/** Ours. */
const ALWAYS_ON: readonly string[] = [
  "balancer",
  "crash",
  "devicehealth",
  "orchestrator",
  "pg_autoscaler",
  "progress",
  "rbd_support",
  "telemetry",
];

/**
 * compat: a 16.2 manager has them on from birth, so that switching them on never fails, and scripts do so.
 * They are not here.
 */
const EXPECTED: readonly string[] = ["iostat", "nfs", "restful"];

/** The map goes to every client. */
const NAME_MAX = 100;
const ENABLED_MAX = 100;

const NOT_HERE = "Spirula has no such module";
const KEY = "mgr-modules";

function infoOf(name: string, errorString: string): MgrModuleInfo {
  return { name, canRun: errorString === "", errorString, moduleOptions: new Map() };
}

export class MgrModules {
  readonly #store: MonStore;
  readonly #changed: () => void;
  readonly #turns = new Turns();
  #enabled: ReadonlySet<string>;

  /** @param changed is called when the map has others than before */
  constructor(store: MonStore, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
    const text = store.text("monitor", KEY);
    this.#enabled = new Set(text === undefined ? [] : (JSON.parse(text) as string[]));
  }

  /** Text, in order; a new set after every change. Those that are always on are not among them. */
  get enabled(): ReadonlySet<string> {
    return this.#enabled;
  }

  /** Is in the map, and is not here: what health says of it. */
  get missing(): { readonly name: string; readonly why: string }[] {
    return [...this.#enabled].map((name) => ({ name, why: NOT_HERE }));
  }

  /** The modules' part of the map. */
  get mapPart(): Pick<MgrMap, "modules" | "availableModules" | "alwaysOnModules"> {
    return {
      modules: new Set([...this.#enabled].map(byteString)),
      availableModules: [
        ...ALWAYS_ON.map((name) => infoOf(name, "")),
        ...EXPECTED.map((name) => infoOf(name, NOT_HERE)),
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
      alwaysOnModules: new Map([[CEPH_RELEASE.PACIFIC, new Set(ALWAYS_ON)]]),
    };
  }

  /** Resolves with what there is to say when it is durable. */
  enable(name: string, force: boolean): Promise<string | Refusal> {
    return this.#turns.take(() => this.#enable(name, force));
  }

  /** The same. */
  disable(name: string): Promise<string | Refusal> {
    return this.#turns.take(() => this.#disable(name));
  }

  async #enable(name: string, force: boolean): Promise<string | Refusal> {
    if (ALWAYS_ON.includes(name)) return `module '${name}' is already enabled (always-on)`;
    if (!EXPECTED.includes(name) && !force) {
      return new Refusal(
        "ENOENT",
        `all mgr daemons do not support module '${name}', pass --force to force enablement`,
      );
    }
    if (this.#enabled.has(name)) return `module '${name}' is already enabled`;
    if (name.length > NAME_MAX || this.#enabled.size >= ENABLED_MAX) {
      return new Refusal(
        "E2BIG",
        `no more than ${ENABLED_MAX} modules, of ${NAME_MAX} letters each, can be enabled`,
      );
    }
    await this.#set([...this.#enabled, name]);
    return "";
  }

  async #disable(name: string): Promise<string | Refusal> {
    if (ALWAYS_ON.includes(name)) {
      return new Refusal("EINVAL", `module '${name}' cannot be disabled (always-on)`);
    }
    if (!this.#enabled.has(name)) return `module '${name}' is already disabled`;
    await this.#set([...this.#enabled].filter((other) => other !== name));
    return "";
  }

  async #set(names: readonly string[]): Promise<void> {
    const enabled = new Set([...names].sort());
    await this.#store.commit([put("monitor", KEY, JSON.stringify([...enabled]))]);
    this.#enabled = enabled;
    this.#changed();
  }
}
