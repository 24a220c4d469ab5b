import { expect, test } from "vitest";
import { until } from "../../test/harness/manual-clock.ts";
import { encodeToBytes, list, record, str, struct } from "../encoding/index.ts";
import { compareHObject, HOBJECT_MAX, HObject, objectHash, stableMod } from "../types/index.ts";
import { type ListedObject, ObjectListing } from "./listing.ts";
import { POOL, ScriptedOsds } from "./testing/scripted-osds.ts";

const Reply = struct(
  "pg_nls_response_t",
  { v: 1 },
  { handle: HObject, entries: list(record("entry", { nspace: str, oid: str, locator: str })) },
);

test("a walk of a pool that splits goes on from where it was, in the new groups", async () => {
  const osds = new ScriptedOsds({ pgNum: 4 });
  const listing = new ObjectListing(osds.objecter, POOL, "");
  const all = Array.from({ length: 60 }, (_, i) => ({ nspace: "", oid: `o${i}`, key: "" }));
  const order = all.toSorted((a, b) => compareHObject(listing.cursorOf(a), listing.cursorOf(b)));
  const found: string[] = [];
  const walk = (async () => {
    for await (const { oid } of listing.objects()) found.push(oid);
  })();
  let answered = 0;
  for (let at = 0, turn = 0; at < order.length; turn++) {
    await until(() => (osds.to(0)[0]?.requests.length ?? 0) > answered);
    const link = osds.to(0)[0]!;
    const pool = osds.map.pools.get(POOL)!;
    const pgNum = turn % 3 === 1 ? Math.min(32, pool.pgNum * 2) : pool.pgNum;
    if (pgNum !== pool.pgNum) {
      // The request that is on its way is sent again, to the group that its place is in now.
      osds.change((inc) => {
        inc.newPools.set(POOL, { ...pool, pgNum, pgNumTarget: pgNum, pgNumPending: pgNum });
        osds.serveBy(inc, [0, 1]);
      });
      expect(link.requests.at(-1)!.op.retryAttempt).toBe(1);
    }
    answered = link.requests.length;
    const { tid, op } = link.requests.at(-1)!;
    const { seed } = op.pgid.pgid;
    const isHere = ({ oid }: ListedObject) =>
      stableMod(objectHash(oid, "", ""), pgNum, pgNum - 1) === seed;
    expect(isHere(order[at]!), `${order[at]!.oid} of ${pgNum} groups, asked of ${seed}`).toBe(true);
    // As an OSD does: what the group has from there on, at most seven, then where the next page begins.
    const page = order.slice(at, at + 7);
    const stop = page.findIndex((object) => !isHere(object));
    const entries = stop < 0 ? page : page.slice(0, stop);
    at += entries.length;
    const next = order[at];
    const outdata = encodeToBytes(Reply, {
      handle: next === undefined ? HOBJECT_MAX : listing.cursorOf(next),
      entries: entries.map(({ nspace, oid, key }) => ({ nspace, oid, locator: key })),
    });
    const ops = op.ops.map((each) => ({ ...each, rval: 0, outdata: [outdata] }));
    osds.reply(link, tid, { ops, result: stop < 0 ? 0 : 1 });
  }
  await walk;
  expect(found).toEqual(order.map(({ oid }) => oid));
  expect(osds.map.pools.get(POOL)!.pgNum).toBe(32);
});
