/** docs/compatibility.md says what the tests run, no less, and nothing else. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  COMPATIBILITY_FILE,
  compatibilityPage,
  MATRIX_DIR,
  verbsOf,
} from "../harness/compatibility.ts";
import { loadScenarios } from "../harness/scenario.ts";

describe("docs/compatibility.md", () => {
  const page = readFileSync(COMPATIBILITY_FILE, "utf8");

  test("has every command of every row", () => {
    const scenarios = [...loadScenarios(), ...loadScenarios(MATRIX_DIR)];
    const commands = scenarios.flatMap(({ steps }) => steps.map((step) => step.command));
    const lines = new Set(page.split("\n").map((line) => line.replace(/^(?:[=≠–] )+ /, "")));
    expect(commands.filter((command) => !lines.has(command))).toEqual([]);
  });

  test("is what npm run docs:compatibility writes", () => {
    expect(page).toBe(compatibilityPage());
  });
});

describe("the commands in a line", () => {
  test.each([
    ["rbd ls", [["rbd", "ls"]]],
    ["rbd --id glance -c glance.conf snap ls vms", [["rbd", "snap ls"]]],
    ["rbd trash purge vms", [["rbd", "trash purge"]]],
    ["rbd trash purge schedule add 1d", [["rbd", "trash purge schedule add"]]],
    ["ceph -s", [["ceph", "status"]]],
    ["ceph osd pool application get rbd", [["ceph", "osd pool application get"]]],
    ["rados -p rbd -N north ls | wc -l", [["rados", "ls"]]],
    [
      "rbd export a - | rbd import --object-size 1M - b",
      [
        ["rbd", "export"],
        ["rbd", "import"],
      ],
    ],
    ["RBD_FORCE_ALLOW_V1=1 rbd create old", [["rbd", "create"]]],
    ["for i in a b; do rbd snap purge $i; done", [["rbd", "snap purge"]]],
    ["qemu-img compare guest.qcow2 rbd:rbd/fedora", [["qemu-img", "compare"]]],
    ["grep rbd file", []],
  ])("%s", (command, verbs) => {
    expect(verbsOf(command)).toEqual(verbs);
  });
});
