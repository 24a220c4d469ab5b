/**
 * Schedules by which the manager empties the trash of pools and namespaces.
 * ceph: src/tools/rbd/action/TrashPurgeSchedule.cc
 */

import type { Call } from "./call.ts";
import { type Kind, scheduleStatus, scheduleVerbs } from "./schedules.ts";
import { left, textTable } from "./table.ts";

const KIND: Kind = {
  prefix: "trash purge schedule",
  hasImages: false,
  haveDone: "the trash emptied",
  isDone: "the trash is emptied",
  status: { summary: "Show when which trash is emptied next.", run: status },
};

export const trashScheduleVerbs = scheduleVerbs(KIND);

interface Statuses {
  readonly scheduled: readonly {
    readonly pool_name: string;
    readonly namespace: string;
    readonly schedule_time: string;
  }[];
}

async function status(call: Call): Promise<void> {
  call.checkFormat();
  const { scheduled } = (await scheduleStatus(call, KIND)) as Statuses;
  const keyOf = (item: (typeof scheduled)[number]) => `${item.pool_name}/${item.namespace}`;
  const sorted = [...scheduled].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  await call.show(
    () =>
      sorted.map((item) => ({
        pool: item.pool_name,
        // compat: the original's spelling.
        namespce: item.namespace,
        schedule_time: item.schedule_time,
      })),
    { root: "scheduled", items: { scheduled: "item" } },
    () => {
      const rows = sorted.map((item) => [item.pool_name, item.namespace, item.schedule_time]);
      return textTable([left("POOL"), left("NAMESPACE"), left("SCHEDULE TIME")], rows);
    },
  );
}
