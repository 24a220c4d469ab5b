/** Which authentication methods a cluster takes, in the terms of the auth room. */

import { AUTH_METHOD } from "../auth/index.ts";

export function authModes(auth: "cephx" | "none"): { methods: number[] } {
  return { methods: [auth === "cephx" ? AUTH_METHOD.CEPHX : AUTH_METHOD.NONE] };
}
