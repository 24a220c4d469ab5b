import { expect, test } from "vitest";
import { RangeQueue } from "./range-queue.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Changes that end when they are told to. */
class Changes {
  readonly queue = new RangeQueue();
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  async run(name: string, objectNo: number, offset: number, length: number): Promise<void> {
    await this.queue.run(objectNo, [offset, length], async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.set(name, resolve));
      if (name.startsWith("bad")) throw new Error(name);
    });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await turn();
  }
}

test("changes that overlap are made in their order, the others at once", async () => {
  const changes = new Changes();
  const works = [
    changes.run("a", 0, 0, 10),
    changes.run("b", 0, 10, 10),
    changes.run("elsewhere", 1, 0, 10),
    changes.run("ab", 0, 5, 10),
    changes.run("b2", 0, 14, 2),
  ];
  // In the turn in which they came.
  expect(changes.begun).toEqual(["a", "b", "elsewhere"]);
  await changes.end("b");
  // One that waits is waited for, too.
  expect(changes.begun).toEqual(["a", "b", "elsewhere"]);
  await changes.end("a");
  expect(changes.begun.slice(3)).toEqual(["ab"]);
  await changes.end("ab");
  expect(changes.begun.slice(3)).toEqual(["ab", "b2"]);
  await changes.end("b2");
  await changes.end("elsewhere");
  await Promise.all(works);
});

test("a change that fails lets the next one begin", async () => {
  const changes = new Changes();
  const bad = changes.run("bad", 0, 0, 1);
  const outcome = expect(bad).rejects.toThrow("bad");
  const next = changes.run("next", 0, 0, 1);
  await changes.end("bad");
  await outcome;
  expect(changes.begun).toEqual(["bad", "next"]);
  await changes.end("next");
  await next;
});
