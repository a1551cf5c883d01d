import type { Actor, CoreContext } from "./core-context.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import { defaultOauthSettings } from "./oauth-settings.ts";
import { audit, inWrite } from "./write.ts";

const actor: Actor = { type: "system", id: "upkeep" };
const dayMs = 86_400_000;

/** Clients that one transaction deletes. */
const slice = 100;

/**
 * Deletes clients that registered themselves and have got no token for `registrationIdleDays`, and for as long as any of
 * their tokens could live at least: none of these has anything left to lose. Those that an administrator has changed, or
 * given to an application, stay. Says how many went.
 */
export async function expireClients(context: CoreContext): Promise<number> {
  const settings = context.oauth ?? defaultOauthSettings;
  const { registrationIdleDays: idleDays = 30, accessTokenSeconds = 0, refreshTokenSeconds = 0 } = settings;
  if (idleDays === 0) return 0;
  const idleMs = Math.max(idleDays * dayMs, accessTokenSeconds * 1_000, refreshTokenSeconds * 1_000);
  let expired = 0;
  for (let found = slice; found === slice; ) {
    found = await inWrite(context, actor, async (write) => {
      const { oauthClients } = write.transaction;
      const rows = await oauthClients.idle("dynamic", write.nowMs - idleMs, slice);
      for (const row of rows) {
        await oauthClients.delete(row.id, row.version);
        const { keyManagerId, clientId } = row;
        write.messages.push({ type: "client.removed", keyManagerId, clientId });
        await audit(write, "oauthclient.expired", subjectOf(row), { clientId, idleDays });
      }
      return rows.length;
    });
    expired += found;
  }
  return expired;
}

function subjectOf({ id, name, teamId }: OauthClientRow) {
  return { kind: "OauthClient", id, name, teamId };
}
