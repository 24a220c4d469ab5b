/**
 * The CRUSH tree with the state of its OSDs: `ceph osd tree`, in text and in JSON.
 * ceph: src/crush/CrushTreeDumper.h, src/osd/OSDMap.cc OSDTreePlainDumper
 */

import { bucketOf, classOf, DEFAULT_CHOOSE_ARGS, itemWeight, rootsOf } from "../crush/index.ts";
import { compareBytes, textOf } from "../encoding/index.ts";
import {
  isUp,
  OSD_STATE,
  type OsdMap,
  osdExists,
  osdIds,
  PRIMARY_AFFINITY_DEFAULT,
} from "./osd-map.ts";
import { type DumpObject, fixedPoint, weightText } from "./print-values.ts";

/** One line of the tree, top down. */
export interface TreeNode {
  readonly id: number;
  /** Parent bucket; 0 for a root. */
  readonly parent: number;
  readonly depth: number;
  /** 16.16, as the parent has it. */
  readonly weight: number;
  /** Ids below, in reverse of the order in which they follow. */
  readonly children: readonly number[];
}

/** Devices sort by class then id, buckets by name. */
function sortKey(map: OsdMap, id: number): string {
  return id >= 0
    ? `${classOf(map.crush, id) ?? ""}_osd.${String(id).padStart(8, "0")}`
    : `_${map.crush.itemNames.get(id) ?? ""}`;
}

/** Roots by ascending id, each followed by what is below it. Shadows are left out. */
export function osdTreeNodes(map: OsdMap): TreeNode[] {
  const nodes: TreeNode[] = [];
  const seen = new Set<number>();
  const visit = (id: number, parent: number, depth: number, weight: number): void => {
    // A bucket held twice would be a cycle or a mistake: show it once.
    if (id < 0 && seen.has(id)) return;
    seen.add(id);
    const bucket = bucketOf(map.crush, id);
    const below = (bucket?.items ?? [])
      .map((item, i) => ({ item, weight: itemWeight(bucket!, i), key: sortKey(map, item) }))
      .sort((a, b) => compareBytes(a.key, b.key));
    const children = below.map((b) => b.item).reverse();
    nodes.push({ id, parent, depth, weight, children });
    for (const b of below) visit(b.item, id, depth + 1, b.weight);
  };
  for (const root of rootsOf(map.crush).sort((a, b) => a - b)) {
    visit(root, 0, 0, bucketOf(map.crush, root)!.weight);
  }
  return nodes;
}

/** OSDs that exist but are nowhere in the tree. */
function strays(map: OsdMap, nodes: readonly TreeNode[]): TreeNode[] {
  const placed = new Set(nodes.map((n) => n.id));
  return osdIds(map)
    .filter((osd) => !placed.has(osd))
    .map((id) => ({ id, parent: 0, depth: 0, weight: 0, children: [] }));
}

function statusOf(map: OsdMap, osd: number): string {
  if (isUp(map, osd)) return "up";
  return ((map.osdState[osd] ?? 0) & OSD_STATE.DESTROYED) !== 0 ? "destroyed" : "down";
}

function affinityOf(map: OsdMap, osd: number): number {
  return fixedPoint(map.osdPrimaryAffinity[osd] ?? PRIMARY_AFFINITY_DEFAULT);
}

const COLUMNS = [
  { title: "ID", right: true },
  { title: "CLASS", right: true },
  { title: "WEIGHT", right: true },
  { title: "TYPE NAME", right: false },
  { title: "STATUS", right: true },
  { title: "REWEIGHT", right: true },
  { title: "PRI-AFF", right: true },
] as const;

function treeRow(map: OsdMap, node: TreeNode): string[] {
  const { id } = node;
  const cls = textOf(classOf(map.crush, id) ?? "");
  const indent = "    ".repeat(node.depth);
  const front = [String(id), cls, weightText(fixedPoint(node.weight))];
  const bucket = bucketOf(map.crush, id);
  if (bucket !== undefined) {
    const type = textOf(map.crush.typeNames.get(bucket.type) ?? "");
    const name = textOf(map.crush.itemNames.get(id) ?? "");
    return [...front, `${indent}${type} ${name}`, "", "", ""];
  }
  const back = osdExists(map, id)
    ? [
        statusOf(map, id),
        weightText(fixedPoint(map.osdWeight[id]!)),
        weightText(affinityOf(map, id)),
      ]
    : ["DNE", "0", ""];
  return [...front, `${indent}osd.${id}`, ...back];
}

/** `ceph osd tree` */
export function osdTreeText(map: OsdMap): string {
  const nodes = osdTreeNodes(map);
  const rows = [...nodes, ...strays(map, nodes)].map((node) => treeRow(map, node));
  const widths = COLUMNS.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length)),
  );
  const line = (cells: readonly string[], header: boolean) =>
    cells
      .map((cell, i) =>
        COLUMNS[i]!.right && !header ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join("  ");
  const titles = COLUMNS.map(({ title }) => title);
  return [line(titles, true), ...rows.map((row) => line(row, false))].map((l) => `${l}\n`).join("");
}

/** What balancers make of an item's weight, by pool. */
function poolWeights(map: OsdMap, node: TreeNode): DumpObject {
  const parent = bucketOf(map.crush, node.parent);
  const at = parent?.items.indexOf(node.id) ?? -1;
  const entries = [...map.crush.chooseArgs].flatMap(([pool, args]): [string, number[]][] => {
    const sets = args.get(-1 - node.parent)?.weightSet ?? [];
    if (sets.length === 0 || at < 0) return [];
    const name =
      pool === DEFAULT_CHOOSE_ARGS ? "(compat)" : textOf(map.poolNames.get(pool) ?? String(pool));
    return [[name, sets.map((set) => fixedPoint(set[at]!))]];
  });
  return Object.fromEntries(entries);
}

function dumpNode(map: OsdMap, node: TreeNode): DumpObject {
  const { id } = node;
  const cls = classOf(map.crush, id);
  const bucket = bucketOf(map.crush, id);
  const type = bucket?.type ?? 0;
  return {
    id,
    ...(cls === undefined ? {} : { device_class: textOf(cls) }),
    name: bucket === undefined ? `osd.${id}` : textOf(map.crush.itemNames.get(id) ?? ""),
    type: textOf(map.crush.typeNames.get(type) ?? ""),
    type_id: type,
    ...(bucket === undefined ? { crush_weight: fixedPoint(node.weight), depth: node.depth } : {}),
    ...(node.parent < 0 ? { pool_weights: poolWeights(map, node) } : {}),
    ...(bucket === undefined
      ? {
          exists: osdExists(map, id) ? 1 : 0,
          status: statusOf(map, id),
          reweight: fixedPoint(map.osdWeight[id] ?? 0),
          primary_affinity: affinityOf(map, id),
        }
      : { children: node.children }),
  };
}

/** `ceph osd tree -f json` */
export function dumpOsdTree(map: OsdMap): DumpObject {
  const nodes = osdTreeNodes(map);
  return {
    nodes: nodes.map((node) => dumpNode(map, node)),
    stray: strays(map, nodes).map((node) => dumpNode(map, node)),
  };
}
