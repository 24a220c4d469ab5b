/** What `spirula transfer` takes, and what it says of words that it does not. */
import { expect, test } from "vitest";
import { parseTransferArguments } from "./transfer.ts";

test("one pool and a target are needed, the rest is as it says", () => {
  expect(parseTransferArguments(["rbd", "--to", "/b.conf"])).toMatchObject({
    pool: "rbd",
    to: "/b.conf",
    from: undefined,
    images: undefined,
    again: false,
    verify: true,
    progress: true,
  });
  const all =
    "--from /a.conf --to=/b.conf --to-pool p --image x --image ns/y --again --no-verify --no-progress rbd";
  expect(parseTransferArguments(all.split(" "))).toMatchObject({
    from: "/a.conf",
    toPool: "p",
    images: ["x", "ns/y"],
    again: true,
    verify: false,
    progress: false,
  });
  expect(parseTransferArguments(["--help"])).toBeUndefined();
});

test.each([
  [["--to", "/b.conf"], "name one pool"],
  [["rbd", "other", "--to", "/b.conf"], "name one pool"],
  [["rbd"], "--to is missing"],
  [["rbd", "--to", "/b.conf", "--fast"], "Unknown option '--fast'"],
])("%j is refused: %s", (args, why) => {
  expect(() => parseTransferArguments(args)).toThrow(why);
});
