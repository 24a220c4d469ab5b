import { describe, expect, test } from "vitest";
import { textOf } from "../../encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../messages/index.ts";
import { createBench, FakeClient, FSID, settle } from "../testing/bench.ts";

/** MSG_ADDR2, which came with kraken. */
const ADDR2 = 1n << 59n;

async function bench(missing = 0n) {
  const { monitor } = await createBench();
  const client = new FakeClient(monitor);
  Object.assign(client.connection, { features: client.connection.features & ~missing });
  const run = async (request: object) => {
    const cmd = [JSON.stringify(request)];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
    await settle();
    const ack = client.take(MMonCommandAck).at(-1);
    return {
      r: ack?.r,
      status: textOf(ack?.rs ?? ""),
      data: Buffer.from(ack?.data ?? []).toString(),
    };
  };
  const set = (version: string, more = {}) =>
    run({ prefix: "osd set-require-min-compat-client", version, ...more });
  const get = async () => (await run({ prefix: "osd get-require-min-compat-client" })).data;
  return { set, get };
}

describe("how old clients may be", () => {
  test("is set by the name of a release, and read by it", async () => {
    const { set, get } = await bench();
    for (const name of ["jewel", "kraken", "mimic", "octopus", "pacific"]) {
      expect(await set(name)).toMatchObject({
        r: 0,
        status: `set require_min_compat_client to ${name}`,
      });
      expect(await get()).toBe(`${name}\n`);
    }
  });

  test("is not set to what is no release, nor below what the map is made of", async () => {
    const { set, get } = await bench();
    for (const name of ["", "unknown", "nonsense", "__proto__"]) {
      expect(await set(name)).toMatchObject({
        r: -22,
        status: `version ${name} is not recognized`,
      });
    }
    const refusal = await set("bobtail");
    expect(refusal.r).toBe(-1);
    expect(refusal.status).toMatch(
      /^osdmap current utilizes features that require \w+; cannot set/,
    );
    expect(await get()).toBe("luminous\n");
  });

  test("is not set above those who are connected, unless somebody means it", async () => {
    const { set } = await bench(ADDR2);
    expect(await set("jewel")).toMatchObject({ r: 0 });
    const refusal = await set("nautilus");
    expect(refusal).toMatchObject({
      r: -1,
      status:
        "cannot set require_min_compat_client to nautilus: 1 connected client(s) look like jewel (missing 0x800000000000000); add --yes-i-really-mean-it to do it anyway",
    });
    expect(await set("nautilus", { yes_i_really_mean_it: true })).toMatchObject({ r: 0 });
  });
});
