/**
 * OSDs that are down, and buckets of the CRUSH tree with nothing up under them.
 * ceph: src/osd/OSDMap.cc check_health, subtree_type_is_down
 */

import { textOf } from "../../encoding/index.ts";
import {
  isIn,
  isUp,
  OSD_STATE,
  type OsdMap,
  osdIds,
  osdTreeNodes,
  type TreeNode,
} from "../../maps/index.ts";

/** A code, its line and what there is to say in detail; all are warnings. */
interface DownCheck {
  readonly code: string;
  readonly message: string;
  readonly count: number;
  readonly detail: readonly string[];
}

/** The tree, looked at from below. */
class Tree {
  readonly #map: OsdMap;
  readonly #nodes = new Map<number, TreeNode>();

  constructor(map: OsdMap) {
    this.#map = map;
    for (const node of osdTreeNodes(map)) this.#nodes.set(node.id, node);
  }

  children(id: number): readonly number[] {
    return this.#nodes.get(id)?.children ?? [];
  }

  /** Nearest first. */
  ancestors(id: number): number[] {
    const found: number[] = [];
    let node = this.#nodes.get(id);
    // A root's parent is 0, which is an OSD's id too: only what is deeper has one.
    while (node !== undefined && node.depth > 0) {
      found.push(node.parent);
      node = this.#nodes.get(node.parent);
    }
    return found;
  }

  isDown(id: number): boolean {
    if (id >= 0) return !isUp(this.#map, id);
    return this.children(id).every((child) => this.isDown(child));
  }

  osdsUnder(id: number): number {
    if (id >= 0) return 1;
    return this.children(id).reduce((sum, child) => sum + this.osdsUnder(child), 0);
  }

  type(id: number): number {
    return this.#map.crush.buckets[-1 - id]?.type ?? 0;
  }

  typeName(type: number): string {
    return textOf(this.#map.crush.typeNames.get(type) ?? "");
  }

  name(id: number): string {
    return textOf(this.#map.crush.itemNames.get(id) ?? "");
  }

  /** `root=default,host=a`: where something is. */
  location(id: number): string {
    const path = this.ancestors(id).reverse();
    return path.map((at) => `${this.typeName(this.type(at))}=${this.name(at)}`).join(",");
  }
}

/** In no particular order. */
export function downChecks(map: OsdMap): DownCheck[] {
  const isNew = (id: number) => ((map.osdState[id] ?? 0) & OSD_STATE.NEW) !== 0;
  const down = osdIds(map).filter((id) => isIn(map, id) && !isNew(id) && !isUp(map, id));
  if (down.length === 0) return [];
  const tree = new Tree(map);
  const buckets = new Set<number>();
  for (const osd of down) {
    for (const id of tree.ancestors(osd)) {
      if (!buckets.has(id) && !tree.isDown(id)) break;
      buckets.add(id);
    }
  }
  const topType = Math.max(...map.crush.typeNames.keys());
  const byType = new Map<number, number[]>();
  for (const id of buckets) {
    const type = tree.type(id);
    byType.set(type, [...(byType.get(type) ?? []), id]);
  }
  const checks = [...byType].map(([type, ids]): DownCheck => {
    const name = tree.typeName(type);
    const osds = ids.reduce((sum, id) => sum + tree.osdsUnder(id), 0);
    return {
      code: `OSD_${name}_DOWN`.toUpperCase(),
      message: `${ids.length} ${name}${ids.length > 1 ? "s" : ""} (${osds} osds) down`,
      count: ids.length,
      detail: ids
        .sort((a, b) => b - a)
        .map((id) => {
          const where = type === topType ? "" : ` (${tree.location(id)})`;
          return `${name} ${tree.name(id)}${where} (${tree.osdsUnder(id)} osds) is down`;
        }),
    };
  });
  checks.push({
    code: "OSD_DOWN",
    message: `${down.length} osds down`,
    count: down.length,
    detail: down.map((id) => `osd.${id} (${tree.location(id)}) is down`),
  });
  return checks;
}
