/**
 * Schedules by which the manager takes mirror snapshots of primary images.
 * ceph: src/tools/rbd/action/MirrorSnapshotSchedule.cc
 */

import type { Call } from "./call.ts";
import { flag, formatOptions, imageOptions } from "./options.ts";
import {
  addSchedule,
  listSchedules,
  removeSchedule,
  schedulePositional,
  scheduleStatus,
} from "./schedules.ts";
import { left, textTable } from "./table.ts";
import type { Verb } from "./verb.ts";

const KIND = { prefix: "mirror snapshot schedule", hasImages: true } as const;

export const mirrorScheduleVerbs: readonly Verb[] = [
  {
    name: `${KIND.prefix} add`,
    summary: "Have mirror snapshots taken by a schedule.",
    positional: schedulePositional,
    options: imageOptions(),
    run: (call) => addSchedule(call, KIND),
  },
  {
    name: `${KIND.prefix} list`,
    alias: `${KIND.prefix} ls`,
    summary: "List by which schedules mirror snapshots are taken.",
    positional: [],
    options: [
      ...imageOptions(),
      flag("recursive", "of all that is below, too", "R"),
      ...formatOptions,
    ],
    run: (call) => listSchedules(call, KIND),
  },
  {
    name: `${KIND.prefix} remove`,
    alias: `${KIND.prefix} rm`,
    summary: "Have mirror snapshots taken by a schedule no more.",
    positional: schedulePositional,
    options: imageOptions(),
    run: (call) => removeSchedule(call, KIND),
  },
  {
    name: `${KIND.prefix} status`,
    summary: "Show of which image a mirror snapshot is taken next, and when.",
    positional: [],
    options: [...imageOptions(), ...formatOptions],
    run: status,
  },
];

interface Statuses {
  readonly scheduled_images: readonly { readonly schedule_time: string; readonly image: string }[];
}

async function status(call: Call): Promise<void> {
  call.checkFormat();
  const { scheduled_images: images } = (await scheduleStatus(call, KIND)) as Statuses;
  await call.show(
    () => images.map(({ schedule_time, image }) => ({ schedule_time, image })),
    { root: "scheduled_images", items: { scheduled_images: "image" } },
    () => {
      const rows = images.map(({ schedule_time: at, image }) => [at, image]);
      return textTable([left("SCHEDULE TIME"), left("IMAGE")], rows);
    },
  );
}
