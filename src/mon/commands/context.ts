/**
 * What commands work on: the services, and who is asking.
 */

import type { AuthIdentity } from "../../auth/index.ts";
import type { Clock } from "../../base/index.ts";
import type { Settings } from "../../config/index.ts";
import type { MgrMap, MonMap } from "../../maps/index.ts";
import type { AddrVec } from "../../types/index.ts";
import type { AuthService } from "../services/auth.ts";
import type { ConfigService } from "../services/config.ts";
import type { ConfigKeyService } from "../services/config-key.ts";
import type { HealthMutes } from "../services/health-mutes.ts";
import type { LogService } from "../services/log.ts";
import type { MgrModules } from "../services/mgr-modules.ts";
import type { OsdMapService } from "../services/osd-map.ts";
import type { StatsService } from "../services/stats.ts";

/** Which release we answer as; clients and tools look at it. */
export interface VersionInfo {
  /** `16.2.15` */
  readonly version: string;
  /** The long line that `ceph versions` counts. */
  readonly text: string;
  /** `pacific` */
  readonly release: string;
}

/** What a daemon tells about itself, as `osd metadata` prints it. */
export type Metadata = Readonly<Record<string, string>>;

/** Sessions by kind of peer and by features, for `ceph features`. */
export interface SessionCount {
  readonly type: string;
  readonly features: bigint;
  readonly count: number;
}

/** Everything the commands of one cluster share. */
export interface ClusterState {
  readonly fsid: string;
  readonly name: string;
  readonly host: string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly version: VersionInfo;
  readonly monMap: MonMap;
  readonly mgrMap: () => MgrMap;
  readonly maps: OsdMapService;
  readonly auth: AuthService;
  readonly config: ConfigService;
  /** What the monitor goes by itself. */
  readonly settings: Settings;
  readonly configKey: ConfigKeyService;
  readonly log: LogService;
  readonly stats: StatsService;
  readonly mutes: HealthMutes;
  readonly modules: MgrModules;
  readonly monMetadata: Metadata;
  readonly mgrMetadata: () => Metadata;
  readonly osdMetadata: (id: number) => Metadata | undefined;
  readonly sessions: () => readonly SessionCount[];
  /** Puts the index of the monitor's store in order. */
  readonly compact: () => Promise<void>;
  /** What is available of the file system that the monitor's store lies on, in per cent. */
  readonly availablePercent: () => number;
}

/** One command's context. */
export interface CommandContext {
  readonly state: ClusterState;
  readonly identity: AuthIdentity;
  readonly peerAddrs: AddrVec;
  /** JSON of all commands, the manager's included. */
  readonly descriptions: () => string;
}
