/** The in-memory store keeps the object store's contract. */
import { MemStore } from "../../../src/store/index.ts";
import { objectStoreSuite } from "./suite.ts";

objectStoreSuite("MemStore", {
  make: (options) => Promise.resolve(new MemStore(options)),
  cleanUp: () => Promise.resolve(),
});
