import { expect, it } from "vitest";
import { TestOsd } from "./testing/osd-fixture.ts";

it("`tell osd.N version` has the release in the words of upstream's OSD, not the line of `ceph versions`", async () => {
  const client = new TestOsd().client(4100);
  const { r, value } = await client.command({ prefix: "version" });
  expect(r).toBe(0);
  expect(value).toEqual({ version: "16.2.15", release: "pacific", release_type: "stable" });
});
