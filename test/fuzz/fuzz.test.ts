/** What is nearly right costs its sender an error, never the server its life. Longer: npm run test:fuzz. */
import { expect, test } from "vitest";
import { objectClasses } from "../../src/cls/index.ts";
import * as messages from "../../src/messages/index.ts";
import type { MessageType } from "../../src/types/index.ts";
import { fuzz, TARGETS } from "./run.ts";
import { messageSamples } from "./targets/bytes.ts";
import { recordedCalls } from "./targets/osd.ts";

const SEED = 1;
/** To a target whose share is 1. */
const INPUTS = 2000;

test.each(TARGETS.map((each) => [each.name, each] as const))(
  "%s",
  async (_, target) => {
    const inputs = INPUTS * (target.share ?? 1);
    expect((await fuzz(target, SEED, inputs)).inputs).toBe(inputs);
  },
  600_000,
);

test("no message and no method of a class is forgotten", () => {
  const sent = new Set(messageSamples().map(({ message }) => message.type));
  const types = Object.values(messages as Record<string, unknown>).filter(
    (x): x is MessageType<unknown> =>
      typeof x === "object" && x !== null && "decode" in x && "type" in x,
  );
  expect(types.length).toBeGreaterThan(30);
  expect(types.filter(({ type }) => !sent.has(type)).map(({ name }) => name)).toEqual([]);

  // The names' lengths are in front of the arguments, the names in front of the input.
  const called = new Set(
    recordedCalls().map(({ args, indata }) => {
      const name = Buffer.from(indata).toString("latin1", 0, args[0]! + args[1]!);
      return `${name.slice(0, args[0])}.${name.slice(args[0])}`;
    }),
  );
  for (const [name, { methods }] of objectClasses) {
    for (const method of Object.keys(methods)) expect(called).toContain(`${name}.${method}`);
  }
});
