import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { UpstreamFetch } from "./upstream-fetch.ts";
import { serverMetadataUrls } from "./well-known-urls.ts";

/** What is used of an authorization server's metadata (RFC 8414, 2). */
export interface AuthorizationServer {
  readonly issuer: string;
  /** Absent where it gives no tokens to people. */
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string;
  readonly registrationEndpoint: string | undefined;
  readonly revocationEndpoint: string | undefined;
  /** Undefined where it does not say. */
  readonly authMethods: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  /** PKCE with S256. */
  readonly hasPkce: boolean;
  /** Takes the URL of a metadata document for a client id. */
  readonly takesClientDocuments: boolean;
  /** Says in each answer whose it is (RFC 9207). */
  readonly namesItself: boolean;
}

const url = z.url({ protocol: /^https?$/ }).max(2_000);
const texts = z.array(z.string().max(500)).max(1_000);

const documentSchema = z.looseObject({
  issuer: z.string().max(2_000),
  authorization_endpoint: url.optional(),
  token_endpoint: url,
  registration_endpoint: url.optional(),
  revocation_endpoint: url.optional(),
  token_endpoint_auth_methods_supported: texts.optional(),
  scopes_supported: texts.optional(),
  code_challenge_methods_supported: texts.optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

/**
 * The metadata of an issuer; undefined where it has none at any of the places. Throws `upstream.invalid` when a document
 * names another issuer (RFC 8414, 3.3): it could speak for anybody.
 */
export async function readAuthorizationServer(
  issuer: string,
  fetch: UpstreamFetch,
): Promise<AuthorizationServer | undefined> {
  fetch.assertPermitted(issuer);
  for (const place of serverMetadataUrls(issuer)) {
    const answer = await fetch.document(place);
    if (answer === undefined) continue;
    const parsed = documentSchema.safeParse(answer);
    if (!parsed.success) throw invalid(`${place}: ${parsed.error.issues[0]?.path.join(".") ?? "no object"}`);
    if (parsed.data.issuer !== issuer) {
      throw invalid(`${place} is of ${parsed.data.issuer.slice(0, 200)}, not of ${issuer}`);
    }
    return checked(serverOf(parsed.data), fetch);
  }
  return undefined;
}

/** A server without any metadata, as those of 2025-03-26 may be: its endpoints are at the root of the MCP server's host. */
export function guessedServer(origin: string): AuthorizationServer {
  return {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    registrationEndpoint: `${origin}/register`,
    revocationEndpoint: undefined,
    authMethods: undefined,
    scopes: undefined,
    hasPkce: true, // 2025-03-26 asks for it of everybody, and it is sent in any case
    takesClientDocuments: false,
    namesItself: false,
  };
}

/** A server of which nothing but its token endpoint is known. */
export function bareServer(tokenUrl: string, issuer: string): AuthorizationServer {
  return {
    ...guessedServer(issuer),
    authorizationEndpoint: undefined,
    registrationEndpoint: undefined,
    tokenEndpoint: tokenUrl,
  };
}

function serverOf(document: z.output<typeof documentSchema>): AuthorizationServer {
  return {
    issuer: document.issuer,
    authorizationEndpoint: document.authorization_endpoint,
    tokenEndpoint: document.token_endpoint,
    registrationEndpoint: document.registration_endpoint,
    revocationEndpoint: document.revocation_endpoint,
    authMethods: document.token_endpoint_auth_methods_supported,
    scopes: document.scopes_supported,
    hasPkce: document.code_challenge_methods_supported?.includes("S256") === true,
    takesClientDocuments: document.client_id_metadata_document_supported === true,
    namesItself: document.authorization_response_iss_parameter_supported === true,
  };
}

function checked(server: AuthorizationServer, fetch: UpstreamFetch): AuthorizationServer {
  const { authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint } = server;
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, registrationEndpoint, revocationEndpoint]) {
    if (endpoint !== undefined) fetch.assertPermitted(endpoint);
  }
  return server;
}

function invalid(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "The metadata of the upstream's authorization server cannot be used.", {
    detail,
  });
}
