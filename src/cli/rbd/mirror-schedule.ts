/**
 * Schedules by which the manager takes mirror snapshots of primary images.
 * ceph: src/tools/rbd/action/MirrorSnapshotSchedule.cc
 */

import type { Call } from "./call.ts";
import { type Kind, scheduleStatus, scheduleVerbs } from "./schedules.ts";
import { left, textTable } from "./table.ts";

const KIND: Kind = {
  prefix: "mirror snapshot schedule",
  hasImages: true,
  haveDone: "mirror snapshots taken",
  isDone: "mirror snapshots are taken",
  status: {
    summary: "Show of which image a mirror snapshot is taken next, and when.",
    run: status,
  },
};

export const mirrorScheduleVerbs = scheduleVerbs(KIND);

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
