import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CommitQueue } from "./commit-queue.ts";

test("what waits runs in the order of transactions, then of calls, however many wait and whoever asks again", () => {
  const step = fc.oneof(
    fc.record({ ahead: fc.nat(300), again: fc.nat(200) }),
    fc.record({ by: fc.nat(150) }),
  );
  fc.assert(
    fc.property(fc.nat(1000), fc.array(step, { maxLength: 200 }), (start, steps) => {
      const queue = new CommitQueue(start);
      const waiting: { seq: number; name: number }[] = [];
      const ran: number[] = [];
      let durable = start;
      let names = 0;
      const wait = (seq: number, again: number) => {
        const name = names++;
        waiting.push({ seq, name });
        queue.after(seq, () => {
          expect(queue.durable).toBe(Math.max(seq, durable));
          ran.push(name);
          // Who has been answered often asks for more at once.
          if (again > 0) wait(queue.durable + again, 0);
        });
      };
      for (const s of steps) {
        if ("by" in s) {
          queue.advance(durable + s.by);
          durable += s.by;
        } else {
          wait(durable + s.ahead, s.again);
        }
      }
      queue.advance(durable + 1000);
      expect(queue.depth).toBe(0);
      const seqs = ran.map((name) => waiting[name]!.seq);
      expect(new Set(ran).size).toBe(names);
      for (let i = 1; i < ran.length; i++) {
        if (seqs[i] === seqs[i - 1]) expect(ran[i]).toBeGreaterThan(ran[i - 1]!);
      }
    }),
  );
});
