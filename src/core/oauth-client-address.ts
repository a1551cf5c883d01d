import { GatewayError } from "../kernel/errors.ts";
import { application } from "./application.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import type { Resource } from "./resource.ts";
import { notFound } from "./resource-changes.ts";

/** Which client: those of another application, and so of another team, look as if they were not there. */
export interface ClientAddress {
  readonly application: string;
  readonly clientId: string;
}

/** The client of that address. Throws `resource.not_found`. */
export async function requireClient(
  transaction: CatalogTransaction,
  { application: applicationName, clientId }: ClientAddress,
): Promise<OauthClientRow> {
  const { id } = await requireApplication(transaction, applicationName);
  const row = await transaction.oauthClients.findOf(id, clientId);
  if (row !== undefined) return row;
  throw new GatewayError("resource.not_found", `Application/${applicationName} has no OAuth client with this id.`);
}

/** The application of that name. Throws `resource.not_found`. */
export async function requireApplication(transaction: CatalogTransaction, name: string): Promise<Resource> {
  const found = await transaction.resources.find(application.kind, name);
  if (found === undefined) throw notFound(application.kind, name);
  return found;
}
