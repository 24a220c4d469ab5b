/**
 * The CRUSH map of one machine: root `default`, one host, its OSDs, and a shadow tree per device class,
 * with the ids that a real cluster of the same history gives them. Plus the usual rules.
 *
 * A machine whose OSDs change gets a new tree, and keeps its rules.
 * ceph: src/crush/CrushWrapper.cc build_simple_crush_map, device_class_clone, add_simple_rule
 */

import {
  CRUSH_BUCKET,
  CRUSH_HASH_RJENKINS1,
  CRUSH_RULE_OP,
  type CrushMap,
  type CrushRule,
  type Straw2Bucket,
  TUNABLES_JEWEL,
} from "./map.ts";

/** Bucket types of a fresh cluster; 0 is a device. */
const TYPE_NAMES = [
  "osd",
  "host",
  "chassis",
  "rack",
  "row",
  "pdu",
  "pod",
  "room",
  "datacenter",
  "zone",
  "region",
  "root",
] as const;
const TYPE_HOST = 1;
const TYPE_ROOT = 11;
const ROOT_ID = -1;
const HOST_ID = -3;
const RULE_REPLICATED = 1;
const RULE_ERASURE = 3;
/** Slots of a map before it has to grow; they double from there. */
const BUCKET_SLOTS_MIN = 8;

export interface CrushDevice {
  readonly id: number;
  /** 16.16; by convention a disk's size in TiB. */
  readonly weight: number;
  /** "ssd", "hdd", "nvme"; undefined for none. */
  readonly deviceClass?: string | undefined;
}

export interface DefaultMapOptions {
  /** Short host name. */
  readonly host: string;
  readonly devices: readonly CrushDevice[];
  /** The map whose rules and tunables to keep. @default only `replicated_rule` */
  readonly base?: CrushMap;
}

function bucket(id: number, type: number, items: [id: number, weight: number][]): Straw2Bucket {
  return {
    id,
    type,
    alg: CRUSH_BUCKET.STRAW2,
    hash: CRUSH_HASH_RJENKINS1,
    weight: items.reduce((sum, [, weight]) => sum + weight, 0),
    items: items.map(([item]) => item),
    itemWeights: items.map(([, weight]) => weight),
  };
}

/** Ids of a class's shadows of root and host: the first class's lie between root and host. */
function shadowIds(classIndex: number): { root: number; host: number } {
  return classIndex === 0
    ? { root: -2, host: -4 }
    : { root: -4 - 2 * classIndex, host: -3 - 2 * classIndex };
}

/** Spreads copies over devices: with one host there is nothing else to spread over. */
const REPLICATED_RULE: CrushRule = Object.freeze({
  ruleset: 0,
  type: RULE_REPLICATED,
  minSize: 1,
  maxSize: 10,
  steps: [
    { op: CRUSH_RULE_OP.TAKE, arg1: ROOT_ID, arg2: 0 },
    { op: CRUSH_RULE_OP.CHOOSE_FIRSTN, arg1: 0, arg2: 0 },
    { op: CRUSH_RULE_OP.EMIT, arg1: 0, arg2: 0 },
  ],
});

/** The map of one host and its devices. */
export function buildDefaultMap(options: DefaultMapOptions): CrushMap {
  const { host, base } = options;
  const devices = [...options.devices].sort((a, b) => a.id - b.id);
  const itemNames = new Map<number, string>([
    [ROOT_ID, "default"],
    [HOST_ID, host],
  ]);
  for (const { id } of devices) itemNames.set(id, `osd.${id}`);
  const classes = [...new Set(devices.flatMap((d) => d.deviceClass ?? []))];
  const classMap = new Map<number, number>();
  const shadowsOfRoot = new Map<number, number>();
  const shadowsOfHost = new Map<number, number>();
  const buckets: (Straw2Bucket | undefined)[] = [];
  const place = (b: Straw2Bucket): number => {
    buckets[-1 - b.id] = b;
    return b.weight;
  };
  const tree = (ids: { root: number; host: number }, own: readonly CrushDevice[]): void => {
    const items = own.map((d): [number, number] => [d.id, d.weight]);
    const weight = place(bucket(ids.host, TYPE_HOST, items));
    place(bucket(ids.root, TYPE_ROOT, [[ids.host, weight]]));
  };
  tree({ root: ROOT_ID, host: HOST_ID }, devices);
  classes.forEach((name, cls) => {
    const ids = shadowIds(cls);
    const own = devices.filter((d) => d.deviceClass === name);
    tree(ids, own);
    for (const id of [...own.map((d) => d.id), ids.root, ids.host]) classMap.set(id, cls);
    itemNames.set(ids.root, `default~${name}`).set(ids.host, `${host}~${name}`);
    shadowsOfRoot.set(cls, ids.root);
    shadowsOfHost.set(cls, ids.host);
  });
  let slots = BUCKET_SLOTS_MIN;
  while (slots < buckets.length) slots *= 2;
  return {
    buckets: Array.from({ length: slots }, (_, slot) => buckets[slot]),
    rules: base?.rules ?? [REPLICATED_RULE],
    maxDevices: (devices.at(-1)?.id ?? -1) + 1,
    typeNames: new Map(TYPE_NAMES.entries()),
    itemNames,
    ruleNames: base?.ruleNames ?? new Map([[0, "replicated_rule"]]),
    tunables: base?.tunables ?? TUNABLES_JEWEL,
    classMap,
    classNames: new Map(classes.entries()),
    classBucket:
      classes.length === 0
        ? new Map()
        : new Map([
            [ROOT_ID, shadowsOfRoot],
            [HOST_ID, shadowsOfHost],
          ]),
    chooseArgs: base?.chooseArgs ?? new Map(),
  };
}

export interface SimpleRuleOptions {
  readonly name: string;
  /** Id of the bucket to take from: a root, or its shadow for one device class. @default the root */
  readonly root?: number;
  /** Type to spread over; 0 for devices. @default 0 */
  readonly failureDomain?: number;
  /** Fixed positions for erasure coding, of `size` = k + m; else copies. */
  readonly erasure?: { readonly size: number };
}

/** Adds a rule in the first free place. @returns the new map and the rule's id */
export function addSimpleRule(
  map: CrushMap,
  options: SimpleRuleOptions,
): { map: CrushMap; ruleId: number } {
  const { name, root = ROOT_ID, failureDomain = 0, erasure } = options;
  const free = map.rules.indexOf(undefined);
  const ruleId = free < 0 ? map.rules.length : free;
  const op = CRUSH_RULE_OP;
  const firstn = failureDomain === 0 ? op.CHOOSE_FIRSTN : op.CHOOSELEAF_FIRSTN;
  const indep = failureDomain === 0 ? op.CHOOSE_INDEP : op.CHOOSELEAF_INDEP;
  const tries = [
    { op: op.SET_CHOOSELEAF_TRIES, arg1: 5, arg2: 0 },
    { op: op.SET_CHOOSE_TRIES, arg1: 100, arg2: 0 },
  ];
  const rule: CrushRule = {
    ruleset: ruleId,
    type: erasure === undefined ? RULE_REPLICATED : RULE_ERASURE,
    minSize: erasure === undefined ? 1 : 3,
    maxSize: erasure === undefined ? 10 : erasure.size,
    steps: [
      ...(erasure === undefined ? [] : tries),
      { op: op.TAKE, arg1: root, arg2: 0 },
      { op: erasure === undefined ? firstn : indep, arg1: 0, arg2: failureDomain },
      { op: op.EMIT, arg1: 0, arg2: 0 },
    ],
  };
  const rules = map.rules.slice();
  rules[ruleId] = rule;
  const ruleNames = new Map(map.ruleNames).set(ruleId, name);
  return { map: { ...map, rules, ruleNames }, ruleId };
}

/** The map without a rule; its place stays free for the next. */
export function removeRule(map: CrushMap, ruleId: number): CrushMap {
  const rules = map.rules.map((rule, id) => (id === ruleId ? undefined : rule));
  const ruleNames = new Map(map.ruleNames);
  ruleNames.delete(ruleId);
  return { ...map, rules, ruleNames };
}
