import type { CoreContext } from "./core-context.ts";
import { defaultOauthSettings } from "./oauth-settings.ts";

/** A live key or secret that will end soon. */
export interface ExpiringCredential {
  readonly kind: "ApiKey" | "OauthClientSecret";
  /** The key's name; of a secret `application/client`. */
  readonly name: string;
  /** What it may be told by: the key's or the secret's id. */
  readonly id: string;
  readonly teamId: string;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** Of each kind; who has more has a script that asks again. */
const shown = 200;

const dayMs = 86_400_000;

/**
 * API keys and client secrets that end within the days that `oauth.expiryWarningDays` says, soonest first. A secret
 * beside which the client has a newer one that works for longer is being rotated, and is left out.
 */
export async function expiringCredentials(context: CoreContext): Promise<readonly ExpiringCredential[]> {
  const nowMs = context.clock.now();
  const beforeMs = nowMs + (context.oauth ?? defaultOauthSettings).expiryWarningDays * dayMs;
  const { read } = context.catalog;
  const found: ExpiringCredential[] = [];
  for (const { id, name, teamId, expiresAtMs, lastUsedAtMs } of await read.apiKeys.expiring(nowMs, beforeMs, shown)) {
    if (expiresAtMs !== null) found.push({ kind: "ApiKey", name, id, teamId, expiresAtMs, lastUsedAtMs });
  }
  for (const secret of await read.oauthClients.secrets.expiring(nowMs, beforeMs, shown)) {
    const { id, expiresAtMs, lastUsedAtMs } = secret;
    const client = await read.oauthClients.findById(secret.clientRowId);
    if (client === undefined || expiresAtMs === null) continue;
    const others = await read.oauthClients.secrets.of(client.id);
    const isRotated = others.some(
      (other) => other.revokedAtMs === null && (other.expiresAtMs === null || other.expiresAtMs >= beforeMs),
    );
    if (isRotated) continue;
    const owner = client.applicationId === null ? undefined : await read.resources.findById(client.applicationId);
    const name = `${owner?.name ?? "-"}/${client.name}`;
    found.push({ kind: "OauthClientSecret", name, id, teamId: client.teamId, expiresAtMs, lastUsedAtMs });
  }
  return found.toSorted((left, right) => left.expiresAtMs - right.expiresAtMs);
}
