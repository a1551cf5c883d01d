import type { OauthClientRow } from "./identity-tables.ts";
import type { ClientRecord } from "./plane-message.ts";

/** What a gateway is told of an OAuth client. */
export function clientRecord(row: OauthClientRow): ClientRecord {
  const { clientId, keyManagerId, applicationId, teamId, environment, name, disabled } = row;
  return { clientId, keyManagerId, applicationId, teamId, environment, name, disabled };
}
