/** What happens to the sessions of an entity whose key is removed. */

import type { RotatingSecrets, SecretLookup } from "../auth/index.ts";
import type { Clock } from "../base/index.ts";
import type { Messenger } from "../messenger/index.ts";

/** Whoever removes its own key hears that it is done first, milliseconds. */
const GRACE_MS = 100;

export function closeRevoked(messenger: Messenger, secrets: SecretLookup): void {
  messenger.closeSessions(
    ({ entity }, sinceMs) => secrets.isRevoked(entity, sinceMs),
    "its key has been removed",
  );
}

/** The same from now on, at every change of the secrets. Returns how to stop. */
export function watchRevoked(
  messenger: Messenger,
  secrets: RotatingSecrets,
  clock: Clock,
): () => void {
  return secrets.onRotate(() => {
    clock.after(GRACE_MS, () => closeRevoked(messenger, secrets));
  });
}
