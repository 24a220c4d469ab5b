/** Arguments of the migration methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { record, str, u8 } from "../../../encoding/index.ts";

export const MigrationSetStateArgs = record("migration_set_state", { state: u8, description: str });
