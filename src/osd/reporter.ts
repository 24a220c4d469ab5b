/**
 * When an OSD tells its monitor how it is: every two seconds, soon after a new map, and when somebody asks.
 * ceph: src/osd/OSD.h OSDService::get_osd_stat, src/mgr/MgrClient.cc send_pgstats
 */

import type { Clock, Timer } from "../base/index.ts";
import type { OsdReport } from "../maps/index.ts";

/** Period of reports, milliseconds. */
const REPORT_MS = 2000;
/** From a new map to a report, milliseconds. */
const REPORT_SOON_MS = 20;

export interface ReporterOptions {
  readonly clock: Clock;
  /** Epoch in which this instance came up. */
  upFrom(): number;
  make(): Omit<OsdReport, "seq">;
  send(report: OsdReport): void;
}

export class Reporter {
  readonly #options: ReporterOptions;
  #timer: Timer | undefined;
  #isDue = false;
  #isStopped = false;
  #sent = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.every(REPORT_MS, () => this.now());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** What a new map makes ours, the monitor should know before the next round. */
  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.clock.after(REPORT_SOON_MS, () => {
      this.#isDue = false;
      if (!this.#isStopped) this.now();
    });
  }

  /** Returns the report's sequence number, which goes on rising when a new instance comes up. */
  now(): number {
    const seq = this.#options.upFrom() * 2 ** 32 + ++this.#sent;
    this.#options.send({ seq, ...this.#options.make() });
    return seq;
  }
}
