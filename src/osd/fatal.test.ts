/** An OSD whose disk has failed is there no more, whatever the cluster does next. */
import { describe, expect, test, vi } from "vitest";
import { newPool } from "../maps/index.ts";
import { MemStore, type TransactionSeq } from "../store/index.ts";
import { POOL, TestOsd } from "./testing/osd-fixture.ts";

/** One that has failed refuses everything, as a store on a disk does. */
class FailingStore extends MemStore {
  #failed = false;

  override submit(...args: Parameters<MemStore["submit"]>): TransactionSeq {
    if (this.#failed) throw new Error("the store has failed");
    return super.submit(...args);
  }

  fail(): void {
    this.#failed = true;
    this.onFatal(new Error("EIO"));
  }
}

function bench() {
  const store = new FailingStore({});
  const fatal = vi.fn();
  const osd = new TestOsd({ store, fatal });
  return { osd, store, fatal };
}

describe("after its disk has failed an OSD takes no part in", () => {
  test("a pool that gets more PGs", () => {
    const { osd, store, fatal } = bench();
    store.fail();
    expect(fatal).toHaveBeenCalledOnce();
    osd.split(16);
    expect(fatal).toHaveBeenCalledOnce();
  });

  test("a new pool, and one that goes", () => {
    const { osd, store, fatal } = bench();
    store.fail();
    osd.changeMap((inc) => inc.newPools.set(POOL + 1, newPool({ pgNum: 8, size: 1 })));
    osd.changeMap((inc) => inc.oldPools.add(POOL));
    expect(fatal).toHaveBeenCalledOnce();
  });
});
