import { describe, expect, test } from "vitest";
import { renderXml } from "../../encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../messages/index.ts";
import { createBench, FakeClient, FSID, settle } from "../testing/bench.ts";

describe("XML", () => {
  test("has the names that JSON lacks, escapes, and keeps order", () => {
    const value = {
      b: "a<b>&'\"",
      a: 1.5,
      up: [0, 1],
      "with blank": true,
      none: [],
      left: undefined,
      map: new Map([["2", "x"]]),
    };
    const names = { root: "osd_map", items: { up: "osd" } };
    expect(renderXml(value, names, false)).toBe(
      "<osd_map><b>a&lt;b&gt;&amp;&apos;&quot;</b><a>1.5</a><up><osd>0</osd><osd>1</osd></up><with_blank>true</with_blank><none></none><map><2>x</2></map></osd_map>",
    );
    expect(renderXml({ up: [0], none: {} }, names, true)).toBe(
      "<osd_map>\n <up>\n  <osd>0</osd>\n </up>\n <none>\n </none>\n</osd_map>\n\n",
    );
  });

  async function ask(request: object) {
    const { monitor } = await createBench();
    const client = new FakeClient(monitor);
    const cmd = [JSON.stringify(request)];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
    await settle();
    const ack = client.take(MMonCommandAck)[0];
    return { r: ack?.r, data: Buffer.from(ack?.data ?? []).toString() };
  }

  test.each([
    ["osd pool ls", {}, "<pools><pool_name>rbd</pool_name></pools>"],
    ["osd lspools", {}, "<pools><pool><poolnum>1</poolnum><poolname>rbd</poolname></pool></pools>"],
    [
      "osd pool get",
      { pool: "rbd", var: "size" },
      "<pool><pool>rbd</pool><pool_id>1</pool_id><size>1</size></pool>",
    ],
    [
      "osd pool get-quota",
      { pool: "rbd" },
      "<pool_quotas><pool_name>rbd</pool_name><pool_id>1</pool_id><quota_max_objects>0</quota_max_objects>",
    ],
    ["health", {}, "<health><status>HEALTH_OK</status><checks></checks><mutes></mutes></health>"],
    ["fsid", {}, `<fsid><fsid>${FSID}</fsid></fsid>`],
    [
      "osd map",
      { pool: "rbd", object: "foo" },
      "<objname>foo</objname><raw_pgid>1.7fc1f406</raw_pgid><pgid>1.6</pgid><up><osd>0</osd></up><up_primary>0</up_primary><acting><osd>0</osd></acting><acting_primary>0</acting_primary></osd_map>",
    ],
    ["df", {}, "<pools><pool><name>rbd</name><id>1</id><stats><stored>0</stored>"],
    [
      "osd pool ls",
      { detail: "detail" },
      "<pools><pool><pool_id>1</pool_id><pool_name>rbd</pool_name>",
    ],
  ])("%s %j is what a real cluster prints", async (prefix, args, expected) => {
    const { r, data } = await ask({ prefix, ...args, format: "xml" });
    expect(r).toBe(0);
    expect(data).toContain(expected);
  });

  test("is refused where the names are not known, and so is any other format", async () => {
    expect(await ask({ prefix: "osd dump", format: "xml" })).toMatchObject({ r: -95 });
    expect(await ask({ prefix: "health", format: "yaml" })).toMatchObject({ r: -95 });
  });
});
