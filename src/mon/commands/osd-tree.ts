/**
 * Tables over the CRUSH tree: `osd tree` with a choice of states, `osd crush tree`, `osd df tree`.
 * ceph: src/crush/CrushTreeDumper.h
 */

import { TextTable } from "../../base/index.ts";
import { textOf } from "../../encoding/index.ts";
import {
  type DumpObject,
  dumpOsdTree,
  type OsdMap,
  osdExists,
  osdTreeNodes,
  type TreeNode,
} from "../../maps/index.ts";
import { deviceClass } from "./df.ts";

/** The tree down to the OSDs that `keep` takes; buckets left empty go too. */
export function prunedTree(map: OsdMap, keep: (osd: number) => boolean): TreeNode[] {
  const nodes = osdTreeNodes(map);
  const leaves = nodes.filter((node) => node.id >= 0 && osdExists(map, node.id) && keep(node.id));
  const kept = new Set(leaves);
  const buckets = new Map(nodes.flatMap((node) => (node.id < 0 ? [[node.id, node] as const] : [])));
  // A root's parent is 0, which is an OSD's id too: only buckets are looked up.
  for (const leaf of leaves) {
    for (let at = buckets.get(leaf.parent); at !== undefined; at = buckets.get(at.parent)) {
      kept.add(at);
    }
  }
  return nodes.filter((node) => kept.has(node));
}

/** `host a`, `osd.0`, indented by depth. */
export function nodeLabel(map: OsdMap, node: TreeNode): string {
  const indent = "    ".repeat(node.depth);
  if (node.id >= 0) return `${indent}osd.${node.id}`;
  const bucket = map.crush.buckets[-1 - node.id];
  const type = textOf(map.crush.typeNames.get(bucket?.type ?? 0) ?? "");
  return `${indent}${type} ${textOf(map.crush.itemNames.get(node.id) ?? "")}`;
}

/** Weight with five decimals, as trees print it. */
export function nodeWeight(node: TreeNode): string {
  return (node.weight / 0x1_0000).toFixed(5);
}

/** A table of nodes with columns of the caller's behind the usual ones. */
export function treeTable(
  map: OsdMap,
  nodes: readonly TreeNode[],
  columns: readonly { title: string; cell: (osd: number) => string }[],
): string {
  const table = new TextTable()
    .column("ID", "left", "right")
    .column("CLASS", "left", "right")
    .column("WEIGHT", "left", "right")
    .column("TYPE NAME", "left", "left");
  for (const { title } of columns) table.column(title, "left", "right");
  for (const node of nodes) {
    const isOsd = node.id >= 0;
    table.row(
      node.id,
      isOsd ? deviceClass(map, node.id) : "",
      nodeWeight(node),
      nodeLabel(map, node),
      ...columns.map(({ cell }) => (isOsd ? cell(node.id) : "")),
    );
  }
  return table.toString();
}

/** The tree's JSON, only the nodes given, with some fields of each left out. */
export function treeJson(
  map: OsdMap,
  nodes: readonly TreeNode[],
  without: readonly string[] = [],
): DumpObject {
  const ids = new Set(nodes.map((node) => node.id));
  const all = dumpOsdTree(map)["nodes"] as readonly DumpObject[];
  const wanted = all.filter((node) => ids.has(node["id"] as number));
  const strip = (node: DumpObject) =>
    Object.fromEntries(Object.entries(node).filter(([key]) => !without.includes(key)));
  return { nodes: wanted.map(strip), stray: [] };
}
