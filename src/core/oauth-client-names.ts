import type { CatalogTransaction } from "./catalog.ts";
import type { OauthClientRow } from "./identity-tables.ts";

/** An OAuth client with the names of what it belongs to, for showing. */
export interface NamedOauthClient extends OauthClientRow {
  readonly keyManager: string;
  readonly application: string | null;
  readonly team: string;
}

/** The rows with the names of their key manager, application and team. */
export async function nameOauthClients(
  transaction: CatalogTransaction,
  rows: readonly OauthClientRow[],
): Promise<readonly NamedOauthClient[]> {
  const ids = rows.flatMap(({ keyManagerId, applicationId, teamId }) => [
    keyManagerId,
    applicationId ?? teamId,
    teamId,
  ]);
  const names = new Map<string, string>();
  for (const id of new Set<string>(ids)) names.set(id, (await transaction.resources.findById(id))?.name ?? id);
  return rows.map((row) => ({
    ...row,
    keyManager: names.get(row.keyManagerId) ?? row.keyManagerId,
    application: row.applicationId === null ? null : (names.get(row.applicationId) ?? row.applicationId),
    team: names.get(row.teamId) ?? row.teamId,
  }));
}

/** As `nameOauthClients`, for one row. */
export async function nameOauthClient(transaction: CatalogTransaction, row: OauthClientRow): Promise<NamedOauthClient> {
  const [named] = await nameOauthClients(transaction, [row]);
  return named ?? { ...row, keyManager: row.keyManagerId, application: row.applicationId, team: row.teamId };
}
