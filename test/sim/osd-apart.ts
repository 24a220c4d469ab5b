/**
 * An OSD as if it had a thread of its own: what goes between it and the cluster takes its time, in order.
 * So maps reach clients before they reach OSDs, and reports tell of what was.
 */
import { type OsdHandle, type OsdSurroundings, runOsd } from "../../src/cluster/osd-runner.ts";
import { IntervalSet } from "../../src/types/index.ts";
import type { Dice } from "../harness/dice.ts";

/** Mean of one message's way, milliseconds. */
const WAY_MS = 0.3;

/** One direction: first in, first out, each after a while. */
function way(around: OsdSurroundings, dice: Dice): (deliver: () => void) => void {
  const underWay: (() => void)[] = [];
  return (deliver) => {
    underWay.push(deliver);
    around.clock.after(dice.exponential(WAY_MS), () => underWay.shift()?.());
  };
}

export function runOsdApart(dice: Dice): typeof runOsd {
  return async (config, events, around): Promise<OsdHandle> => {
    const there = way(around, dice);
    const back = way(around, dice);
    const handle = await runOsd(
      config,
      {
        report: (report) => back(() => events.report(report)),
        snapsPurged: (pool, snaps) => {
          const copy = IntervalSet.from([...snaps]);
          back(() => events.snapsPurged(pool, copy));
        },
        ask: (osd, request) =>
          new Promise((resolve, reject) => {
            back(() => {
              const here = (settle: () => void) => there(settle);
              events.ask(osd, request).then(
                (reply) => here(() => resolve(reply)),
                (error: Error) => here(() => reject(error)),
              );
            });
          }),
        corruption: (object) => back(() => events.corruption(object)),
        fatal: (error) => back(() => events.fatal(error)),
      },
      around,
    );
    return {
      addrs: handle.addrs,
      handleMap(incremental, full) {
        const copies = [Uint8Array.from(incremental), Uint8Array.from(full)] as const;
        there(() => handle.handleMap(...copies));
      },
      loadSecrets(state) {
        const copy = Uint8Array.from(state);
        there(() => handle.loadSecrets(copy));
      },
      countImages: (isOn) => there(() => handle.countImages(isOn)),
      loadConfig(options) {
        there(() => handle.loadConfig(options));
      },
      answer: (from, request) =>
        new Promise((resolve) => {
          there(() => {
            void handle.answer(from, request).then((reply) => back(() => resolve(reply)));
          });
        }),
      close: () =>
        new Promise((resolve, reject) => {
          there(() => {
            handle.close().then(() => back(resolve), reject);
          });
        }),
    };
  };
}
