import { expect, test } from "vitest";
import { systemClock } from "../base/index.ts";
import { opRead, opWriteFull } from "../messages/index.ts";
import { type CountedRequest, ImageCounters } from "./image-counters.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

const WRITE: CountedRequest = {
  pool: 2,
  nspace: "",
  oid: "rbd_data.10abc.0000000000000001",
  isRead: false,
  isWrite: true,
  inBytes: 4096,
  outBytes: 0,
  latencyMs: 0.5,
};
const READ = { ...WRITE, isRead: true, isWrite: false, inBytes: 0, outBytes: 512 };

test("requests of all objects of an image are counted together, reads and writes apart", () => {
  const counters = new ImageCounters(systemClock);
  counters.count(true);
  counters.add(WRITE);
  counters.add({ ...WRITE, oid: "rbd_data.10abc.00000000000000ff" });
  counters.add(READ);
  expect(counters.take()).toEqual([
    {
      pool: 2,
      nspace: "",
      imagePool: undefined,
      imageId: "10abc",
      writeOps: 2,
      readOps: 1,
      writeBytes: 8192,
      readBytes: 512,
      writeLatencyNs: 1_000_000,
      readLatencyNs: 500_000,
    },
  ]);
  expect(counters.take()).toEqual([]);
});

test("an image whose data is in another pool says which it is in; another namespace is another image", () => {
  const counters = new ImageCounters(systemClock);
  counters.count(true);
  counters.add({ ...WRITE, oid: "rbd_data.7.10abc.0000000000000001" });
  counters.add({ ...WRITE, nspace: "ns" });
  counters.add({ ...WRITE, oid: "journal_data.2.10abc.3" });
  expect(counters.take()?.map(({ imagePool, nspace }) => [imagePool, nspace])).toEqual([
    [7, ""],
    [undefined, "ns"],
    [2, ""],
  ]);
});

test("other objects are not counted, and nothing is while nobody asks", () => {
  const counters = new ImageCounters(systemClock);
  counters.count(true);
  for (const oid of ["rbd_header.10abc", "rbd_object_map.10abc", "rbd_data", "my_rbd_data.1.2"]) {
    counters.add({ ...WRITE, oid });
  }
  expect(counters.take()).toEqual([]);
  counters.add(WRITE);
  counters.count(false);
  expect(counters.take()).toBe(undefined);
  counters.count(true);
  expect(counters.take()).toEqual([]);
});

test("an OSD that is asked tells it in its reports: what succeeded, once", async () => {
  const osd = new TestOsd();
  const client = osd.client(4100);
  const oid = "rbd_data.10abc.0000000000000001";
  const told = async () => {
    await client.command({ prefix: "flush_pg_stats" });
    return osd.reports.at(-1)?.images;
  };
  await client.op(oid, [opWriteFull(Buffer.from("before"))]);
  expect(await told()).toBe(undefined);
  osd.server.countImages(true);
  await client.op(oid, [opWriteFull(Buffer.from("12345678"))]);
  await client.op(oid, [opRead(0, 4)]);
  await client.op("rbd_data.10abc.0000000000000002", [opRead(0, 4)]);
  expect(await told()).toMatchObject([
    { imageId: "10abc", writeOps: 1, readOps: 1, writeBytes: 8, readBytes: 4 },
  ]);
  expect(await told()).toEqual([]);
  osd.server.countImages(false);
  expect(await told()).toBe(undefined);
});
