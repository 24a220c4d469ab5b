/** What the lock's owner tells of the operations that we have asked it for. */

import type { Clock } from "../base/index.ts";
import type { HeaderNotice } from "./notify.ts";
import type { Progress } from "./progress.ts";

type News = Extract<HeaderNotice, { op: "complete" | "progress" }>;

export class OwnerNews {
  readonly #clock: Clock;
  readonly #waiting = new Map<bigint, (news: News) => void>();
  /** Of requests that are listened for; undefined: not told yet. */
  readonly #results = new Map<bigint, number | undefined>();
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A number for a request. */
  newRequest(): bigint {
    return ++this.#last;
  }

  /** The same for one whose end is heard of whenever it is told, until `forget`. */
  listen(): bigint {
    const request = this.newRequest();
    this.#results.set(request, undefined);
    return request;
  }

  forget(request: bigint): void {
    this.#results.delete(request);
  }

  /** What was told by now. */
  resultOf(request: bigint): number | undefined {
    return this.#results.get(request);
  }

  /** The result of a request, once the owner tells; undefined: no word has come for so long. */
  async completionOf(
    request: bigint,
    timeoutMs: number,
    progress: Progress,
  ): Promise<number | undefined> {
    const told = this.resultOf(request);
    if (told !== undefined) return told;
    try {
      return await new Promise<number | undefined>((resolve, reject) => {
        const wait = () => this.#clock.after(timeoutMs, () => resolve(undefined));
        let timer = wait();
        this.#waiting.set(request, (news) => {
          timer.cancel();
          if (news.op === "complete") return resolve(news.result);
          timer = wait();
          try {
            progress(news.done, news.total);
          } catch (error) {
            timer.cancel();
            reject(error);
          }
        });
      });
    } finally {
      this.#waiting.delete(request);
    }
  }

  told(news: News): void {
    const { request } = news;
    if (news.op === "complete" && this.#results.has(request)) {
      this.#results.set(request, news.result);
    }
    this.#waiting.get(request)?.(news);
  }
}
