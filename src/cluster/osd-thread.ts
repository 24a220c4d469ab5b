/**
 * An OSD in a worker thread, seen from the cluster: the same handle as one on the cluster's own event loop.
 * With more OSDs than one and cores to spare each gets a thread: the data path then never leaves it.
 */

import { Worker } from "node:worker_threads";
import { ConfigError, type Logger, type LogLevel } from "../base/index.ts";
import type { OsdReport } from "../maps/index.ts";
import type { PeerMessage } from "../osd/index.ts";
import { type AddrVec, IntervalSet } from "../types/index.ts";
import type { OsdConfig, OsdEvents, OsdHandle } from "./osd-runner.ts";

export interface OsdThreadData {
  readonly config: OsdConfig;
  readonly logLevel: string;
}

/** To the request of that number. */
export interface Answer {
  readonly number: number;
  readonly result: PeerMessage | Error;
}

/** Requests that one thread has put to the other, by number. */
export class Questions {
  readonly #waiting = new Map<number, (result: PeerMessage | Error) => void>();
  #last = 0;

  /** @param tell sends the request under the number it gets */
  ask(tell: (number: number) => void): Promise<PeerMessage> {
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, (result) => {
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
      tell(number);
    });
  }

  answered({ number, result }: Answer): void {
    const answer = this.#waiting.get(number);
    this.#waiting.delete(number);
    answer?.(result);
  }
}

/** Sends what becomes of a request. */
export function sendAnswer(
  number: number,
  asked: Promise<PeerMessage>,
  tell: (answer: { type: "answer" } & Answer) => void,
): void {
  const send = (result: PeerMessage | Error) => tell({ type: "answer", number, result });
  asked.then(send, send);
}

export type ToOsd =
  | { type: "map"; incremental: Uint8Array; full: Uint8Array }
  | { type: "secrets"; state: Uint8Array }
  | { type: "countImages"; isOn: boolean }
  | { type: "config"; options: readonly (readonly [name: string, value: string])[] }
  | { type: "request"; from: number; request: PeerMessage; number: number }
  | ({ type: "answer" } & Answer)
  | { type: "close" };

export type FromOsd =
  | { type: "ready"; addrs: AddrVec }
  | { type: "report"; report: OsdReport }
  | { type: "purged"; pool: number; snaps: [number, number][] }
  | { type: "corruption"; object: string }
  | { type: "request"; osd: number; request: PeerMessage; number: number }
  | ({ type: "answer" } & Answer)
  | { type: "log"; level: LogLevel; line: string }
  | { type: "fatal"; message: string }
  | { type: "closed" };

/** Starts the thread; resolves once the OSD listens. */
export function startOsdThread(
  data: OsdThreadData,
  events: OsdEvents,
  log: Logger,
  workerFile: URL,
): Promise<OsdHandle> {
  const worker = new Worker(workerFile, { workerData: data });
  const tell = (message: ToOsd) => worker.postMessage(message);
  const questions = new Questions();
  // A thread says "ready" once, leaves once, and tells of its failure once, however it goes.
  let isReady = false;
  let gone: Error | undefined;
  let closing: { done: () => void; failed: (error: Error) => void } | undefined;

  const close = () =>
    new Promise<void>((done, failed) => {
      // A thread that is gone has nothing left to make durable.
      if (gone !== undefined) return done();
      closing = { done, failed };
      tell({ type: "close" });
    });

  return new Promise((resolve, reject) => {
    const leave = (error: Error) => {
      if (gone !== undefined) return;
      gone = error;
      if (!isReady) reject(error);
      else if (closing === undefined) events.fatal(error);
      else closing.failed(error);
    };
    worker.on("error", (error: Error) => {
      const osd = `osd.${data.config.id}`;
      leave(isReady ? error : new ConfigError(`${osd}: ${error.message}`, error));
    });
    worker.on("exit", (code) => leave(new Error(`osd.${data.config.id} left with ${code}`)));
    worker.on("message", (message: FromOsd) => {
      switch (message.type) {
        case "ready":
          isReady = true;
          resolve({
            addrs: message.addrs,
            handleMap: (incremental, full) => tell({ type: "map", incremental, full }),
            loadSecrets: (state) => tell({ type: "secrets", state }),
            countImages: (isOn) => tell({ type: "countImages", isOn }),
            loadConfig: (options) => tell({ type: "config", options }),
            answer: (from, request) =>
              questions.ask((number) => tell({ type: "request", from, request, number })),
            close,
          });
          return;
        case "report":
          return events.report(message.report);
        case "purged":
          return events.snapsPurged(message.pool, IntervalSet.from(message.snaps));
        case "corruption":
          return events.corruption(message.object);
        case "request":
          sendAnswer(message.number, events.ask(message.osd, message.request), tell);
          return;
        case "answer":
          return questions.answered(message);
        case "log":
          return log[message.level](message.line);
        case "fatal":
          return events.fatal(new Error(message.message));
        case "closed":
          closing?.done();
      }
    });
  });
}
