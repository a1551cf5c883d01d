import type { ApiKeyRow, CatalogTransaction } from "./catalog.ts";
import type { Resource } from "./resource.ts";

/** An API key with the names of what it is bound to, for showing. */
export interface NamedApiKey extends ApiKeyRow {
  /** Null for a key of an application. */
  readonly api: { readonly kind: string; readonly name: string } | null;
  readonly application: string | null;
  readonly team: string;
}

/** The rows with the names of their API, application and team. */
export async function nameApiKeys(
  transaction: CatalogTransaction,
  rows: readonly ApiKeyRow[],
): Promise<readonly NamedApiKey[]> {
  const ids = rows.flatMap(({ apiId, applicationId, teamId }) => [apiId ?? teamId, applicationId ?? teamId, teamId]);
  const byId = new Map<string, Resource | undefined>();
  for (const id of new Set(ids)) byId.set(id, await transaction.resources.findById(id));
  return rows.map((row) => {
    return {
      ...row,
      // A key holds on to what it is bound to, so the names are there; an id stands in rather than to fail a list.
      api: apiName(row, (id) => byId.get(id)),
      application: row.applicationId === null ? null : (byId.get(row.applicationId)?.name ?? row.applicationId),
      team: byId.get(row.teamId)?.name ?? row.teamId,
    };
  });
}

/** As `nameApiKeys`, for one row. */
export async function nameApiKey(transaction: CatalogTransaction, row: ApiKeyRow): Promise<NamedApiKey> {
  const [named] = await nameApiKeys(transaction, [row]);
  return named ?? { ...row, api: apiName(row, () => undefined), application: row.applicationId, team: row.teamId };
}

function apiName({ apiId }: ApiKeyRow, find: (id: string) => Resource | undefined): NamedApiKey["api"] {
  if (apiId === null) return null;
  const api = find(apiId);
  return { kind: api?.kind ?? "", name: api?.name ?? apiId };
}
