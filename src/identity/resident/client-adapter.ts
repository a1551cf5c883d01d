import type { Adapter } from "oidc-provider";
import { errors } from "oidc-provider";
import { z } from "zod";
import { findResidentClient } from "../../core/authenticate-client.ts";
import type { OauthClientMetadata } from "../../core/identity-tables.ts";
import { redirectUriIssue } from "../../core/redirect-uri.ts";
import { storeRegisteredClient } from "../../core/registered-client.ts";
import { clientMetadata } from "./client-facts.ts";
import type { ResidentOptions } from "./resident-options.ts";

/** Clients for the library: read from the catalog at each request, written by dynamic registration only. */
export function createClientAdapter(
  { context, settings }: Pick<ResidentOptions, "context" | "settings">,
  signingAlgorithm: string,
): Adapter {
  return {
    async find(clientId) {
      if (clientId.length > 2_048) return undefined;
      const row = await findResidentClient(context, clientId);
      // A client that is known by its document is asked for it again: what is stored is for the gateways.
      if (row === undefined || row.disabled || row.source === "metadata-document") return undefined;
      return clientMetadata(row, signingAlgorithm);
    },
    async upsert(clientId, registered) {
      const said = registeredSchema.parse(registered);
      await refuseWhenFull(context, settings.mostRegisteredClients);
      await storeRegisteredClient(context, {
        clientId,
        source: "dynamic",
        displayName: said.client_name ?? clientId,
        metadata: storedMetadata(said),
        secretValue: said.client_secret,
      });
    },
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    consume: async () => undefined,
    destroy: async () => undefined, // there is no management protocol: administrators delete clients
    revokeByGrantId: async () => undefined,
  };
}

async function refuseWhenFull({ catalog }: ResidentOptions["context"], most: number): Promise<void> {
  if ((await catalog.read.oauthClients.count("dynamic", most)) < most) return;
  const error = new errors.OIDCProviderError(503, "temporarily_unavailable");
  throw Object.assign(error, { error_description: "no more clients can register themselves here" });
}

/** What clients say of themselves, as far as it is kept. */
export const registeredSchema = z.object({
  client_name: z.string().max(200).optional(),
  client_uri: z.string().max(2_000).optional(),
  client_secret: z.string().optional(),
  grant_types: z.array(z.string()).default([]),
  redirect_uris: z.array(z.string().max(2_000)).max(20).default([]),
  token_endpoint_auth_method: z.string().default("client_secret_basic"),
  application_type: z.string().default("web"),
});

/** The stored form of what a client says of itself. Throws `invalid_redirect_uri` for one that is not acceptable. */
export function storedMetadata(said: z.output<typeof registeredSchema>): OauthClientMetadata {
  const applicationType = said.application_type === "native" ? "native" : "web";
  for (const uri of said.redirect_uris) {
    const issue = redirectUriIssue(uri, applicationType);
    if (issue !== undefined) throw new errors.InvalidClientMetadata(`redirect_uris: ${issue}`);
  }
  const method = said.token_endpoint_auth_method;
  return {
    grantTypes: said.grant_types,
    redirectUris: said.redirect_uris,
    tokenEndpointAuthMethod: method === "none" || method === "client_secret_post" ? method : "client_secret_basic",
    tokenLifetimes: {},
    applicationType,
    ...(said.client_uri !== undefined && { registered: { client_uri: said.client_uri } }),
  };
}
