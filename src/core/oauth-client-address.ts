import { GatewayError } from "../kernel/errors.ts";
import { application } from "./application.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import type { Resource } from "./resource.ts";
import { notFound } from "./resource-changes.ts";

/**
 * Which client: by the `client_id` in its application, or by its own id, which those without an application have too. What
 * is another application's, or another team's, looks as if it were not there.
 */
export type ClientAddress = { readonly application: string; readonly clientId: string } | { readonly id: string };

/** The client of that address. Throws `resource.not_found`. */
export async function requireClient(transaction: CatalogTransaction, address: ClientAddress): Promise<OauthClientRow> {
  if ("id" in address) return requireById(transaction, address.id);
  const { application: applicationName, clientId } = address;
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

async function requireById({ oauthClients }: CatalogTransaction, id: string): Promise<OauthClientRow> {
  const found = await oauthClients.findById(id);
  // Once more by what belongs to a team: an id alone is found whosever it is.
  const row = found && (await oauthClients.find(found.keyManagerId, found.clientId));
  if (row !== undefined) return row;
  throw new GatewayError("resource.not_found", "There is no OAuth client with this id.");
}
