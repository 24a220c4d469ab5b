import { describe, expect, test } from "vitest";
import { textOf } from "../../encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../messages/index.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, FakeClient, FSID, settle } from "../testing/bench.ts";

async function ask(request: object, caps?: Record<string, string>) {
  const { monitor } = await createBench();
  const client = caps === undefined ? new FakeClient(monitor) : new FakeClient(monitor, caps);
  const cmd = [JSON.stringify(request)];
  client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
  await settle();
  const ack = client.take(MMonCommandAck)[0];
  const data = Buffer.from(ack?.data ?? []).toString();
  return { r: ack?.r, status: textOf(ack?.rs ?? ""), data };
}

describe("the one monitor", () => {
  test("gets no company", async () => {
    const add = { prefix: "mon add", addr: "10.0.0.1" };
    expect((await ask({ ...add, name: "b" })).r).toBe(-95);
    expect(await ask({ ...add, name: "a" })).toMatchObject({
      r: -17,
      status: "mon.a already exists at address v2:127.0.0.1:3300/0",
    });
    const caps = { mon: "allow profile role-definer" };
    expect(await ask({ ...add, name: "b" }, caps)).toMatchObject({ r: -13 });
  });

  test("is not removed", async () => {
    expect(await ask({ prefix: "mon rm", name: "a" })).toMatchObject({
      r: -22,
      status: "error: refusing removal of last monitor a",
    });
    expect(await ask({ prefix: "mon rm", name: "b" })).toMatchObject({ r: 0 });
  });
});

test("the map of file systems says that there are none", async () => {
  const text = await ask({ prefix: "fs dump" });
  expect(text.data).toMatch(
    /^e1\n.*\n.*\nlegacy client fscid: -1\n \nNo filesystems configured\n$/,
  );
  expect(text.status).toBe("dumped fsmap epoch 1");
  const json = JSON.parse((await ask({ prefix: "fs dump", format: "json" })).data);
  expect(json).toMatchObject({ epoch: 1, default_fscid: -1, filesystems: [] });
});

test("monitors and managers are counted by what they say of themselves", async () => {
  const { monitor } = await createBench();
  const ask = askerOf(monitor);
  for (const kind of ["mon", "mgr"]) {
    expect((await ask(`${kind} count-metadata`, { property: "nosuch", format: "json" })).data).toBe(
      '{"unknown":1}',
    );
  }
  const { data } = await ask("mon count-metadata", { property: "hostname", format: "json" });
  expect(JSON.parse(data)).toEqual({ [monitor.state.host]: 1 });
});
