/**
 * Schedules by which the manager empties the trash of pools and namespaces.
 * ceph: src/tools/rbd/action/TrashPurgeSchedule.cc
 */

import type { Call } from "./call.ts";
import { flag, formatOptions, poolOptions } from "./options.ts";
import {
  addSchedule,
  listSchedules,
  removeSchedule,
  schedulePositional,
  scheduleStatus,
} from "./schedules.ts";
import { left, textTable } from "./table.ts";
import type { Verb } from "./verb.ts";

const KIND = { prefix: "trash purge schedule", hasImages: false } as const;

export const trashScheduleVerbs: readonly Verb[] = [
  {
    name: `${KIND.prefix} add`,
    summary: "Have the trash emptied by a schedule.",
    positional: schedulePositional,
    options: poolOptions,
    run: (call) => addSchedule(call, KIND),
  },
  {
    name: `${KIND.prefix} list`,
    alias: `${KIND.prefix} ls`,
    summary: "List by which schedules the trash is emptied.",
    positional: [],
    options: [
      ...poolOptions,
      flag("recursive", "of all that is below, too", "R"),
      ...formatOptions,
    ],
    run: (call) => listSchedules(call, KIND),
  },
  {
    name: `${KIND.prefix} remove`,
    alias: `${KIND.prefix} rm`,
    summary: "Have the trash emptied by a schedule no more.",
    positional: schedulePositional,
    options: poolOptions,
    run: (call) => removeSchedule(call, KIND),
  },
  {
    name: `${KIND.prefix} status`,
    summary: "Show when which trash is emptied next.",
    positional: [],
    options: [...poolOptions, ...formatOptions],
    run: status,
  },
];

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
