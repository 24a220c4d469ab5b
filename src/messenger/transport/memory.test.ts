import { expect, test } from "vitest";
import { until } from "../../../test/harness/manual-clock.ts";
import { systemClock } from "../../base/index.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Link, Receiver } from "./transport.ts";

const HERE = { host: "10.0.0.1", port: 3300 };

function receiver(closed: string[]): Receiver {
  return {
    target: () => new Uint8Array(16),
    received: () => true,
    closed: (reason) => closed.push(reason),
    drained: () => undefined,
  };
}

test("a link that is lost before it is started says so then, as a socket does", async () => {
  const network = new MemoryNetwork(systemClock);
  const accepted: Link[] = [];
  await network.transport(HERE.host).listen(HERE, (link) => accepted.push(link));
  const link = await network.transport("10.0.0.2").connect(HERE);
  await until(() => accepted.length === 1);
  network.cut(() => true, "cut");
  const closed: string[] = [];
  link.start(receiver(closed));
  accepted[0]?.start(receiver(closed));
  await until(() => closed.length === 2);
  expect(closed).toEqual(["cut", "cut"]);
});
