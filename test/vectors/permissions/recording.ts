/**
 * What a real cluster lets each kind of client do, as `scripts/record-permissions.py` recorded it: a table for each
 * kind of request, in which a cell is the errno that one client got for one request at one place.
 */
import { readFileSync } from "node:fs";

export interface Section {
  /** What is asked: a column each. */
  readonly requests: readonly string[];
  /** Of what it is asked, where that matters: pool/namespace/object. */
  readonly places: readonly string[];
  /**
   * By the client's caps: for each place a letter for each request; or why there is no such client
   * (`refused: EINVAL`, `no session: EACCES`).
   */
  readonly rows: Readonly<Record<string, readonly string[]>>;
}

export type Recording = Readonly<Record<string, Section>>;

/** One cell of a table. */
export interface Cell {
  readonly section: string;
  readonly caps: string;
  readonly place: string;
  readonly request: string;
  /** `.` is success; the rest is in LETTERS of the script. A whole row in which there is no client is one cell. */
  readonly outcome: string;
}

export const RECORDED = new URL("outcomes.json", import.meta.url);

export function readRecording(file: URL | string): Recording {
  return JSON.parse(readFileSync(file, "utf8")) as Recording;
}

export function cellsOf(recording: Recording): Cell[] {
  return Object.entries(recording).flatMap(([section, { requests, places, rows }]) =>
    Object.entries(rows).flatMap(([caps, row]) => {
      const [why = ""] = row;
      if (why.includes(": ")) return [{ section, caps, place: "", request: "", outcome: why }];
      return places.flatMap((place, at) =>
        requests.map((request, i) => {
          const outcome = row[at]?.[i];
          if (outcome === undefined) throw new Error(`${section}, ${caps}: no ${request}`);
          return { section, caps, place, request, outcome };
        }),
      );
    }),
  );
}
