/**
 * An OSD's counters, by upstream's names, as `perf dump` shows them under "osd".
 * ceph: src/osd/osd_perf_counters.cc
 */

/** How fast an average forgets: about the last 32 samples. */
const DECAY = 1 / 32;

export class OsdCounters {
  op = 0;
  opIn = 0;
  opOut = 0;
  opRead = 0;
  opWrite = 0;
  /** Milliseconds from submit to durable, a moving average. */
  commitLatencyMs = 0;
  /** Ops and class methods asked for and not offered, by name. */
  readonly unsupported = new Map<string, number>();
  /** Requests dropped because they were not ours to answer. */
  misdirected = 0;
  /** The transaction whose way to the disk is being timed; 0: none is. One at a time tells enough. */
  #timedSeq = 0;
  #timedSinceMs = 0;

  countUnsupported(name: string): void {
    this.unsupported.set(name, (this.unsupported.get(name) ?? 0) + 1);
  }

  /** A transaction has been handed to the store. */
  submitted(seq: number, nowMs: number): void {
    if (this.#timedSeq !== 0) return;
    this.#timedSeq = seq;
    this.#timedSinceMs = nowMs;
  }

  /** All transactions up to this one are durable. */
  durable(seq: number, nowMs: () => number): void {
    if (this.#timedSeq === 0 || this.#timedSeq > seq) return;
    this.commitLatencyMs += (nowMs() - this.#timedSinceMs - this.commitLatencyMs) * DECAY;
    this.#timedSeq = 0;
  }

  dump(): Record<string, unknown> {
    return {
      osd: {
        op: this.op,
        op_in_bytes: this.opIn,
        op_out_bytes: this.opOut,
        op_r: this.opRead,
        op_w: this.opWrite,
        misdirected_ops: this.misdirected,
        unsupported_ops: Object.fromEntries(this.unsupported),
      },
    };
  }
}
