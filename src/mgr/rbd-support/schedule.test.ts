import { describe, expect, test } from "vitest";
import {
  formatInterval,
  isChildOf,
  type Level,
  levelMatches,
  levelsIntersect,
  parseInterval,
  parseStartTime,
  Schedule,
} from "./schedule.ts";

const level = (id: string): Level => {
  const [poolId, nspace, imageId] = id === "" ? [] : id.split("/");
  return { name: id, id, poolId, nspace, imageId };
};

describe("intervals", () => {
  test.each([
    ["90m", 90, "90m"],
    ["120m", 120, "2h"],
    ["24h", 1440, "1d"],
    ["3d", 4320, "3d"],
    ["7", 7, "7m"],
  ])("%s is %i minutes and is told as %s", (text, minutes, told) => {
    expect(parseInterval(text)).toBe(minutes);
    expect(formatInterval(minutes)).toBe(told);
  });

  test.each(["", "m", "1x", "-1d", "1.5h", "0", "0d", "1000001d", "9".repeat(400)])(
    "%j is none",
    (text) => {
      expect(() => parseInterval(text)).toThrow(`Invalid interval (${text})`);
    },
  );
});

describe("start times", () => {
  test.each([
    ["14:00", "14:00:00", 840],
    ["9:05", "09:05:00", 545],
    ["14:00:30", "14:00:00", 840],
    ["14:00Z", "14:00:00+00:00", 840],
    ["14:00+02:00", "14:00:00+02:00", 960],
    ["14:00-0100", "14:00:00-01:00", 840 + 1380],
  ])("%s is %s", (text, told, minutes) => {
    expect(parseStartTime(text)).toEqual({ text: told, minutes });
  });

  test("none is none", () => {
    expect(parseStartTime("")).toBeUndefined();
    expect(parseStartTime(undefined)).toBeUndefined();
  });

  test.each([
    ["25:00", "hour must be in 0..23"],
    ["12:61", "minute must be in 0..59"],
    ["noonish", "Unknown string format"],
  ])("%s is refused", (text, why) => {
    expect(() => parseStartTime(text)).toThrow(why);
  });
});

describe("the next run", () => {
  const at = (text: string) => Date.parse(`${text}Z`);
  const scheduleOf = (...items: [string, string?][]) => {
    const schedule = new Schedule("");
    for (const [interval, start] of items) {
      schedule.add({ interval: parseInterval(interval), start: parseStartTime(start) });
    }
    return schedule;
  };

  test("is a whole number of intervals after the start time", () => {
    const schedule = scheduleOf(["6h", "02:30"]);
    expect(schedule.nextRun(at("2026-11-28 08:29:59"))).toBe("2026-11-28 08:30:00");
    expect(schedule.nextRun(at("2026-11-28 08:30:00"))).toBe("2026-11-28 14:30:00");
  });

  test("is the first of several", () => {
    const schedule = scheduleOf(["1d", "23:00"], ["30m"]);
    expect(schedule.nextRun(at("2026-11-28 22:10:00"))).toBe("2026-11-28 22:30:00");
    expect(schedule.nextRun(at("2026-11-28 22:45:00"))).toBe("2026-11-28 23:00:00");
  });

  test("the same item twice is one; its removal leaves none", () => {
    const schedule = scheduleOf(["60m", "10:00"], ["1h", "10:00"]);
    expect(schedule.toJson()).toEqual([{ interval: "1h", start_time: "10:00:00" }]);
    schedule.remove({ interval: 60, start: parseStartTime("10:00") });
    expect(schedule.isEmpty).toBe(true);
  });

  test("what is stored is read again", () => {
    const stored =
      '[{"interval": "10m", "start_time": "14:00:00"}, {"interval": "1d", "start_time": null}]';
    expect(Schedule.parse("rbd/", stored).toJson()).toEqual(JSON.parse(stored));
    for (const bad of ["", "{}", "[1]", '[{"interval": "1x", "start_time": null}]']) {
      expect(() => Schedule.parse("rbd/", bad), bad).toThrow();
    }
  });
});

describe("levels", () => {
  test("children are all below", () => {
    expect(isChildOf(level("2"), level(""))).toBe(true);
    expect(isChildOf(level("2/ns"), level("2"))).toBe(true);
    expect(isChildOf(level("2/ns/i"), level("2/ns"))).toBe(true);
    expect(isChildOf(level("2/ns/i"), level("2"))).toBe(true);
    expect(isChildOf(level("3"), level("2"))).toBe(false);
    expect(isChildOf(level("2"), level("2"))).toBe(false);
    expect(isChildOf(level(""), level(""))).toBe(false);
    expect(isChildOf(level("2/ns/i"), level("2/other"))).toBe(false);
  });

  test("a level concerns what is in it", () => {
    expect(levelMatches(level(""), { poolId: "2", nspace: "ns" })).toBe(true);
    expect(levelMatches(level("2"), { poolId: "2", nspace: "ns" })).toBe(true);
    expect(levelMatches(level("2/ns"), { poolId: "2", nspace: "" })).toBe(false);
    expect(levelMatches(level("3"), { poolId: "2", nspace: "" })).toBe(false);
    expect(levelMatches(level("2/ns/i"), { poolId: "2", nspace: "ns", imageId: "j" })).toBe(false);
  });

  test("two levels have something in common where one contains the other", () => {
    expect(levelsIntersect(level(""), level("2/ns"))).toBe(true);
    expect(levelsIntersect(level("2/ns"), level("2"))).toBe(true);
    expect(levelsIntersect(level("2/ns"), level("2/other"))).toBe(false);
    expect(levelsIntersect(level("2"), level("3"))).toBe(false);
  });
});
