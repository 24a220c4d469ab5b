/** What the lock's owner tells of the operations that we have asked it for. */

import type { Clock } from "../base/index.ts";
import type { HeaderNotice } from "./notify.ts";
import type { Progress } from "./progress.ts";

type News = Extract<HeaderNotice, { op: "complete" | "progress" }>;

export class OwnerNews {
  readonly #clock: Clock;
  readonly #waiting = new Map<bigint, (news: News) => void>();
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A number for a request. */
  newRequest(): bigint {
    return ++this.#last;
  }

  /** The result of a request, once the owner tells; undefined: no word has come for so long. */
  async completionOf(
    request: bigint,
    timeoutMs: number,
    progress: Progress,
  ): Promise<number | undefined> {
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
    this.#waiting.get(news.request)?.(news);
  }
}
