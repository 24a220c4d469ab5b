/** The cluster room: a whole cluster in one process and one directory. */
export { installConf } from "./conf.ts";
export { type Cluster, type ClusterOptions, startCluster } from "./start-cluster.ts";
export {
  checkStore,
  findStores,
  type StorePlace,
  takeForReading,
  withStore,
} from "./stores.ts";
export { VERSION } from "./version.ts";
