import type { RevocationRecord } from "./plane-message.ts";
import type { Write } from "./write.ts";

/** The longest that an access token may be given to live, in seconds: 30 days. */
export const maxAccessTokenSeconds = 2_592_000;

/** A day longer than any token of ours lives, for clocks that are not quite right. */
const keptMs = (maxAccessTokenSeconds + 86_400) * 1_000;

/**
 * Makes tokens dead before they expire: remembered until none of them can be alive, and told to every gateway. Those
 * issued up to now are meant, and one of type `token` whenever it was issued.
 */
export async function revoke(
  write: Write,
  revoked: Pick<RevocationRecord, "type" | "id" | "keyManagerId"> & {
    /** Of a single token: when it expires. */
    readonly expiresAtMs?: number;
  },
): Promise<void> {
  const record: RevocationRecord = {
    type: revoked.type,
    id: revoked.id,
    keyManagerId: revoked.keyManagerId,
    beforeMs: write.nowMs + 1, // what was issued in this very millisecond is meant too
    expiresAtMs: revoked.expiresAtMs ?? write.nowMs + keptMs,
  };
  await write.transaction.revocations.put(record);
  write.messages.push({ type: "revocation.put", record });
}
