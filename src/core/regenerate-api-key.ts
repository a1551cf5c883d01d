import type { GeneratedApiKey } from "./api-keys.ts";
import { changeKey, newCredential, refuseLegacy } from "./change-api-key.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { invalid } from "./parse-document.ts";

/** How a key gets another value. */
export interface RegenerateOptions {
  readonly expectedVersion?: number | undefined;
  /** Seconds for which the old value goes on beside the new one; 0 to 30 days. Absent, it is dead at once. */
  readonly overlapSeconds?: number | undefined;
}

/**
 * Gives a key another value. Name, association and bounds stay. Of older values one at most goes on: a second
 * regeneration ends the first one's overlap. Throws `resource.not_found`, `resource.changed`, and `resource.invalid` for
 * a key that is revoked or has expired.
 */
export async function regenerateApiKey(
  context: CoreContext,
  actor: Actor,
  name: string,
  { expectedVersion, overlapSeconds = 0 }: RegenerateOptions = {},
): Promise<GeneratedApiKey> {
  const { key, ...credential } = newCredential(context.pepper);
  const row = await changeKey(
    context,
    actor,
    { name, expectedVersion, action: "apikey.regenerated" },
    (write, { previous, ...before }) => {
      if (before.apiId === null) refuseLegacy(context, null, before.applicationId);
      if (before.expiresAtMs !== null && before.expiresAtMs <= write.nowMs) {
        throw invalid([{ path: "spec.expiresAt", message: "the key has expired; give it a later expiry first" }]);
      }
      const after = { ...before, ...credential, lastUsedAtMs: null };
      if (overlapSeconds === 0) {
        write.messages.push({ type: "credential.removed", publicId: before.publicId });
        return after;
      }
      if (previous !== undefined) write.messages.push({ type: "credential.removed", publicId: previous.publicId });
      const { publicId, hash, pepperId } = before;
      return { ...after, previous: { publicId, hash, pepperId, expiresAtMs: write.nowMs + overlapSeconds * 1_000 } };
    },
  );
  return { row, key };
}
