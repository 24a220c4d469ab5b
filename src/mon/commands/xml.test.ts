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
    ["osd ls", {}, "<osds><osd>0</osd></osds>"],
    [
      "osd tree",
      {},
      "<type>root</type><type_id>11</type_id><children><child>-3</child></children></item><item><id>-3</id>",
    ],
    [
      "osd dump",
      {},
      "<flags_set><flag>pglog_hardlimit</flag><flag>purged_snapdirs</flag><flag>recovery_deletes</flag><flag>sortbitwise</flag></flags_set>",
    ],
    ["osd crush rule ls", {}, "<rules><name>replicated_rule</name></rules>"],
    ["osd crush class ls", {}, "<crush_classes><class>ssd</class></crush_classes>"],
    ["osd count-metadata", { property: "hostname" }, "<hostname><bench>1</bench></hostname>"],
    ["osd pool application get", { pool: "rbd" }, "<rbd></rbd>"],
    ["auth get-key", { entity: "client.admin" }, "<auth><key>"],
    [
      "auth get",
      { entity: "client.admin" },
      "<auth><auth_entities><entity>client.admin</entity><key>",
    ],
    ["auth ls", {}, "<auth><auth_dump><auth_entities><entity>"],
    ["config dump", {}, "<config></config>"],
    ["quorum_status", {}, "<quorum><mon>0</mon></quorum><quorum_names><mon>a</mon></quorum_names>"],
    ["status", {}, "<quorum><rank>0</rank></quorum><quorum_names><id>a</id></quorum_names>"],
    ["mon stat", {}, "<quorum><mon><rank>0</rank><name>a</name></mon></quorum></monmap>"],
    ["mon feature ls", {}, "<features><all><supported><bit_flag>kraken</bit_flag>"],
    [
      "mon dump",
      {},
      "<mons><mon><rank>0</rank><name>a</name><public_addrs><addrvec><addr><type>v2</type>",
    ],
    [
      "pg map",
      { pgid: "1.0" },
      "<up><up_osd>0</up_osd></up><acting><acting_osd>0</acting_osd></acting></pg_map>",
    ],
    ["time-sync-status", {}, "<time_sync><timechecks><epoch>"],
    ["node ls", {}, "<nodes><mon><"],
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

  test("is plain text where the names are not known, and so is any other format", async () => {
    const args = { prefix: "osd last-stat-seq", id: 0 };
    expect(await ask({ ...args, format: "xml" })).toEqual(await ask(args));
    const health = { prefix: "health" };
    expect(await ask({ ...health, format: "yaml" })).toEqual(await ask(health));
  });
});
