import { z } from "zod";
import type { CoreContext } from "../../core/core-context.ts";
import type { AuthorizationCodeAuth } from "../../core/upstream-auth.ts";
import { openUpstreamClient, storeUpstreamClient } from "../../core/upstream-vault.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import type { UpstreamClient } from "./client-proof.ts";
import { readClient } from "./own-tokens.ts";
import type { UpstreamFetch } from "./upstream-fetch.ts";
import { objectIn } from "./upstream-fetch.ts";

/** The gateway as a client of people's authorization servers: what is the same at all of them. */
export interface OwnClientFacts {
  readonly redirectUri: string;
  /** Where its metadata document is; it is a client id only where that is https. */
  readonly documentUrl: string;
  readonly name: string;
}

/** What the document at `documentUrl` says; a registration says the same, but for the id. */
export function clientDocument({ redirectUri, documentUrl, name }: OwnClientFacts): Readonly<Record<string, unknown>> {
  return { client_id: documentUrl, ...clientMetadata({ redirectUri, name }), token_endpoint_auth_method: "none" };
}

function clientMetadata({ redirectUri, name }: Pick<OwnClientFacts, "redirectUri" | "name">) {
  return {
    client_name: name,
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    // OpenID Connect Registration 1.0, 2: a web client redirects to https and to no loopback name.
    application_type: redirectUri.startsWith("https:") ? "web" : "native",
  };
}

export interface OwnClientParts {
  readonly context: CoreContext;
  readonly auth: AuthorizationCodeAuth;
  readonly facts: OwnClientFacts;
  readonly fetch: UpstreamFetch;
  readonly secrets: SecretReader;
}

/**
 * The client to be at a server, in the order of the specification: the one that the operator has registered, the metadata
 * document, an earlier registration at this very issuer, a new one. Throws `upstream.credentials` where there is no way.
 */
export async function clientAt(server: AuthorizationServer, parts: OwnClientParts): Promise<UpstreamClient> {
  const { auth, facts, secrets } = parts;
  if (auth.client !== undefined) return readClient(auth.client, secrets);
  if (server.takesClientDocuments && facts.documentUrl.startsWith("https:")) return documentClient(facts);
  return (await registeredAt(server.issuer, parts)) ?? register(server, parts);
}

/** The client under which tokens were given; undefined when it is not known any more. */
export async function knownClient(
  issuer: string,
  clientId: string,
  parts: OwnClientParts,
): Promise<UpstreamClient | undefined> {
  const { auth, facts, secrets } = parts;
  if (auth.client?.id === clientId) return readClient(auth.client, secrets);
  if (clientId === facts.documentUrl) return documentClient(facts);
  const registered = await registeredAt(issuer, parts);
  return registered?.clientId === clientId ? registered : undefined;
}

/** The server does not know the registration any more: the next consent makes a new one. */
export async function forgetClient(issuer: string, { context, facts }: OwnClientParts): Promise<void> {
  const row = await context.catalog.read.upstreamClients.find(issuer, facts.redirectUri);
  if (row !== undefined) await context.catalog.transaction((tx) => tx.upstreamClients.delete(row.id));
}

function documentClient({ documentUrl }: OwnClientFacts): UpstreamClient {
  return { clientId: documentUrl, secret: undefined, privateKey: undefined, method: "none" };
}

async function registeredAt(issuer: string, { context, facts }: OwnClientParts): Promise<UpstreamClient | undefined> {
  const row = await context.catalog.read.upstreamClients.find(issuer, facts.redirectUri);
  if (row === undefined || (row.expiresAtMs !== null && row.expiresAtMs <= context.clock.now())) return undefined;
  const secret = openUpstreamClient(context, row) ?? undefined;
  return { clientId: row.clientId, secret, privateKey: undefined, method: row.method };
}

const answerSchema = z.looseObject({
  client_id: z.string().min(1).max(2_000),
  client_secret: z.string().min(1).max(2_000).optional(),
  client_secret_expires_at: z.number().optional(),
  token_endpoint_auth_method: z.string().max(100).optional(),
});

const methods = ["client_secret_basic", "client_secret_post", "none"];

/** Dynamic registration (RFC 7591), kept for this issuer and no other. */
async function register(
  server: AuthorizationServer,
  { context, facts, fetch }: OwnClientParts,
): Promise<UpstreamClient> {
  const { issuer, registrationEndpoint, authMethods = ["client_secret_basic"] } = server;
  if (registrationEndpoint === undefined) {
    throw new GatewayError(
      "upstream.credentials",
      "The upstream's authorization server does not know this gateway and lets nobody register. The operator must register it there and write its client into the API.",
      { detail: issuer },
    );
  }
  const wanted = methods.find((method) => authMethods.includes(method)) ?? "client_secret_basic";
  const json = { ...clientMetadata(facts), token_endpoint_auth_method: wanted };
  const answer = await fetch.post(registrationEndpoint, { json });
  const parsed = answerSchema.safeParse(objectIn(answer));
  if ((answer.status !== 201 && answer.status !== 200) || !parsed.success) {
    throw new GatewayError(
      "upstream.credentials",
      "The upstream's authorization server did not register this gateway.",
      {
        detail: `${issuer}: status ${answer.status}`,
      },
    );
  }
  const { client_id: clientId, client_secret: secret, client_secret_expires_at: expiresAt = 0 } = parsed.data;
  const method = parsed.data.token_endpoint_auth_method ?? (secret === undefined ? "none" : wanted);
  await storeUpstreamClient(context, {
    issuer,
    redirectUri: facts.redirectUri,
    clientId,
    method,
    secret: secret ?? null,
    expiresAtMs: expiresAt > 0 ? expiresAt * 1_000 : null,
  });
  return { clientId, secret, privateKey: undefined, method };
}
