/** What a daemon is told itself, as it comes from an admin socket: answered or refused, and never half done. */
import { createBench } from "../../../src/mon/testing/bench.ts";
import { mutated, mutatedObject, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

/** What daemons are told themselves. */
const TOLD = [
  { prefix: "config set", var: "mon_lease", val: ["6"] },
  { prefix: "config set", var: "osd max backfills", val: ["1", "K"] },
  { prefix: "config get", var: "mon_lease", format: "json" },
  { prefix: "config unset", var: "mon_lease" },
  { prefix: "config diff", format: "json-pretty" },
  { prefix: "injectargs", injected_args: ["--mon-lease 5 --no-mon_allow_pool_delete"] },
  { prefix: "injectargs", injected_args: ["--debug_mon=20/20", "--mon_allow_pool_delete", "true"] },
  { prefix: "injectargs", injected_args: ["  --auth_mon_ticket_ttl=1e3 --nosuch 3 --", "-x"] },
  { prefix: "help" },
];

export const toldMonitorTarget: Target = {
  name: "a monitor's admin socket",
  async open() {
    const { monitor } = await createBench();
    const texts = TOLD.map((command) => Buffer.from(JSON.stringify(command)));
    return {
      async feed(dice) {
        const request =
          dice.below(2) === 0
            ? mutated(dice, pick(dice, texts), texts).toString("utf8")
            : JSON.stringify(mutatedObject(dice, pick(dice, TOLD), TOLD));
        const { r, data } = await monitor.command(request);
        if (!Number.isInteger(r) || r > 0) throw new Error(`answered with ${r}`);
        if (r === 0) JSON.parse(String(data));
        return request;
      },
      /** Whatever it was told, each of its options is one that it could be set to. */
      check() {
        const { settings } = monitor.state;
        for (const [name, value] of settings.overrides) {
          if (settings.check(name, value) !== value) throw new Error(`${name} is ${value}`);
        }
      },
    };
  },
};
