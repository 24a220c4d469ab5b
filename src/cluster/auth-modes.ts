/**
 * Which authentication methods and connection modes a cluster takes, in the terms of the auth room.
 *
 * The modes are those of every port alike, as with a real cluster whose ms_mon_service_mode,
 * ms_mon_cluster_mode, ms_service_mode and ms_cluster_mode are all "secure" or all left alone. In what order
 * they stand does not matter to who listens: the peer's wishes come first.
 * ceph: src/auth/AuthRegistry.cc pick_mode
 */

import { AUTH_METHOD, CON_MODE } from "../auth/index.ts";
import { ConfigError } from "../base/index.ts";

export interface AuthChoice {
  readonly auth: "cephx" | "none";
  /** Connections in the crc mode are refused. */
  readonly requireSecure: boolean;
}

/** @throws ConfigError for a choice with which nobody could connect */
export function authModes(choice: AuthChoice): { methods: number[]; modes: number[] } {
  const { auth, requireSecure } = choice;
  if (auth === "none" && requireSecure) {
    throw new ConfigError(
      "--require-secure with --auth none: without keys there is nothing to encrypt with; leave one of them out",
    );
  }
  return {
    methods: [auth === "cephx" ? AUTH_METHOD.CEPHX : AUTH_METHOD.NONE],
    modes: requireSecure ? [CON_MODE.SECURE] : [CON_MODE.SECURE, CON_MODE.CRC],
  };
}
