/** What the mutations change is there: one that does not apply any more would be missed by nobody. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTATIONS as SERVER } from "../mutations/server.ts";
import { MUTATIONS as STORE } from "../mutations/store.ts";

test.each(Object.entries({ STORE, SERVER }))(
  "each mutation of the %s changes one place",
  (_, list) => {
    const places = list.map(([name, file, from]) => {
      return { name, count: readFileSync(file, "utf8").split(from).length - 1 };
    });
    expect(places.filter(({ count }) => count !== 1)).toEqual([]);
    expect(new Set(places.map(({ name }) => name)).size).toBe(places.length);
  },
);
