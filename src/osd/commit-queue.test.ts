import { array, assert, nat, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { CommitQueue } from "./commit-queue.ts";

test("what waits runs in the order of transactions, then of calls, however many wait and whoever asks again", () => {
  const step = oneof(record({ ahead: nat(300), again: nat(200) }), record({ by: nat(150) }));
  assert(
    property(nat(1000), array(step, { maxLength: 200 }), (start, steps) => {
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
