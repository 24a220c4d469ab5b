/**
 * docs/protocol/osd-ops.md is the op table, printed. UPDATE_DOCS=1 writes it anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isPgOp, OSD_OP, type OsdOpName, osdOpName } from "../../messages/index.ts";
import { unsupported } from "./op.ts";
import { OP_TABLE, opEntry, pgOp } from "./table.ts";

const PAGE = join(import.meta.dirname, "../../../docs/protocol/osd-ops.md");

const HEAD = `# OSD operations

Every op code that Ceph 16.2 defines (\`ceph: src/include/rados.h __CEPH_FORALL_OSD_OPS\`) and what our OSDs do
with it. Printed from the table that runs, \`src/osd/ops/table.ts\`; after a change of it,
\`UPDATE_DOCS=1 npx vitest run --project unit src/osd/ops/table.test.ts\` writes this page anew.

The name is the one Ceph's tools and logs print. Modes:

- **read**, **write**: what the op does to the object.
- **by-argument**: the op's argument decides; a class call by its method, a watch by its sub-op.
- **pg**: a listing of a placement group, answered without an object.
- **unsupported**: answered with EOPNOTSUPP when its turn comes, logged by name and counted; so is a code that is
  not here. A request of nothing but codes that neither read (0x1000) nor write (0x2000) is EINVAL.

How a request of several ops runs is in [osd-requests.md](osd-requests.md).
`;

const byCode = Object.entries(OSD_OP).sort(([, a], [, b]) => a - b) as [OsdOpName, number][];

function modeOf(name: OsdOpName): string {
  const entry = OP_TABLE[name];
  return typeof entry === "string" ? entry : entry.mode;
}

function render(): string {
  const rows = byCode.map(
    ([name, code]) => `| \`0x${code.toString(16)}\` | ${osdOpName(code)} | ${modeOf(name)} |`,
  );
  const supported = byCode.filter(([name]) => OP_TABLE[name] !== unsupported).length;
  const count = `${supported} of ${byCode.length} codes are supported.`;
  return [HEAD, count, "", "| code | name | mode |", "| --- | --- | --- |", ...rows, ""].join("\n");
}

describe("the table of ops", () => {
  test("is what docs/protocol/osd-ops.md says", () => {
    const page = render();
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, "utf8")).toBe(page);
  });

  test("answers each code with its own entry, and one that nobody knows as unsupported", () => {
    for (const [name, code] of byCode)
      expect([name, opEntry(code)]).toEqual([name, OP_TABLE[name]]);
    expect(opEntry(0x1234)).toBe(unsupported);
  });

  test("leaves only codes of the listing kind to the PG", () => {
    const listings = byCode.filter(([name]) => OP_TABLE[name] === pgOp).map(([, code]) => code);
    expect(listings.length).toBeGreaterThan(0);
    expect(listings.filter((code) => !isPgOp(code))).toEqual([]);
  });
});
