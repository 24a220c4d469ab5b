/**
 * MMgrOpen: a daemon (radosgw, rbd-mirror, an OSD) introduces itself to the manager.
 * ceph: src/messages/MMgrOpen.h
 */

import { blob, map, type Reader, str, type Writer } from "../encoding/index.ts";
import { message } from "./message-type.ts";

const Strings = map(str, str);

export interface MMgrOpen {
  daemonName: string;
  /** `rgw`, `rbd-mirror`, …; "" means the entity's type. */
  serviceName: string;
  /** Listed in the service map? Then with metadata and status. */
  serviceDaemon: { metadata: Map<string, string>; status: Map<string, string> } | undefined;
  /** Encoded map of the daemon's options and where their values come from. */
  config: Uint8Array;
  /** Encoded map of the options' defaults. */
  configDefaults: Uint8Array;
}

export const MMgrOpen = message<MMgrOpen>(
  { type: 0x700, name: "mgropen", version: 3, compatVersion: 1 },
  {
    encode(w: Writer, x) {
      w.str(x.daemonName);
      w.str(x.serviceName);
      w.bool(x.serviceDaemon !== undefined);
      if (x.serviceDaemon !== undefined) {
        Strings.encode(w, x.serviceDaemon.metadata);
        Strings.encode(w, x.serviceDaemon.status);
      }
      blob.encode(w, x.config);
      blob.encode(w, x.configDefaults);
    },
    decode(r: Reader) {
      const daemonName = r.str();
      const serviceName = r.str();
      const serviceDaemon = r.bool()
        ? { metadata: Strings.decode(r), status: Strings.decode(r) }
        : undefined;
      const config = r.blob();
      return { daemonName, serviceName, serviceDaemon, config, configDefaults: r.blob() };
    },
  },
);
