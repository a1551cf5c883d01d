import type { Client } from "oidc-provider";
import { z } from "zod";
import type { OauthClientRow } from "../../core/identity-tables.ts";

/** What the library has no member for, and the hooks need of a client. */
const clientFacts = z.object({
  /** Of the stored row; a client that is known by its document only has none. */
  rowId: z.string().optional(),
  /** The owning team's; of a client that is known by its document only there is none. */
  teamId: z.string().optional(),
  /** Absent for a client that registered itself. */
  applicationId: z.string().optional(),
  name: z.string(),
  environment: z.enum(["production", "sandbox"]),
  scopes: z.array(z.string()).optional(),
  redirectUriPattern: z.string().optional(),
  accessTokenSeconds: z.number().optional(),
  refreshTokenSeconds: z.number().optional(),
});

export type ClientFacts = z.output<typeof clientFacts>;

/** The facts of a client that the library holds; those of a stranger for one that it knows by its document only. */
export function factsOf(client: Pick<Client, "gatehouse" | "clientName" | "clientId">): ClientFacts {
  const parsed = clientFacts.safeParse(client.gatehouse);
  if (parsed.success) return parsed.data;
  return { name: client.clientName ?? client.clientId, environment: "production" };
}

/** A stored client as the library wants its metadata (RFC 7591 names). Holds no secret: secrets are compared elsewhere. */
export function clientMetadata(row: OauthClientRow, signingAlgorithm: string): Record<string, unknown> {
  const { metadata } = row;
  const hasCode = metadata.grantTypes.includes("authorization_code");
  const facts: ClientFacts = {
    rowId: row.id,
    teamId: row.teamId,
    ...(row.applicationId !== null && { applicationId: row.applicationId }),
    name: row.name,
    environment: row.environment,
    ...(metadata.scopes !== undefined && { scopes: [...metadata.scopes] }),
    ...(metadata.redirectUriPattern !== undefined && { redirectUriPattern: metadata.redirectUriPattern }),
    ...metadata.tokenLifetimes,
  };
  return {
    client_id: row.clientId,
    client_name: displayName(row),
    ...publicMetadata(metadata.registered),
    application_type: metadata.applicationType,
    grant_types: [...metadata.grantTypes],
    response_types: hasCode ? ["code"] : [],
    // The library wants one; a pattern is matched by our own check, and `.invalid` leads nowhere (RFC 2606).
    redirect_uris: hasCode && metadata.redirectUris.length === 0 ? ["https://pattern.invalid/"] : metadata.redirectUris,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    ...(metadata.tokenEndpointAuthMethod !== "none" && { client_secret: "compared-elsewhere" }),
    id_token_signed_response_alg: signingAlgorithm,
    gatehouse: facts,
  };
}

function displayName({ metadata, name }: OauthClientRow): string {
  return metadata.displayName === undefined || metadata.displayName === "" ? name : metadata.displayName;
}

function publicMetadata(registered: OauthClientRow["metadata"]["registered"]): Record<string, unknown> {
  const uri = registered?.["client_uri"];
  return typeof uri === "string" && URL.canParse(uri) && /^https?:/.test(uri) ? { client_uri: uri } : {};
}
