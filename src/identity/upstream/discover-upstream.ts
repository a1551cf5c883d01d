import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { guessedServer, readAuthorizationServer } from "./authorization-server.ts";
import type { UpstreamFetch } from "./upstream-fetch.ts";
import { canonicalResource, coversResource, resourceMetadataUrls } from "./well-known-urls.ts";

/** What protects an upstream. */
export interface UpstreamProtection {
  /** What tokens are asked for (RFC 8707), as the upstream calls itself. */
  readonly resource: string;
  /** Scopes that the resource names; undefined where it names none. */
  readonly scopes: readonly string[] | undefined;
  readonly server: AuthorizationServer;
}

const documentSchema = z.looseObject({
  resource: z.string().max(2_000),
  authorization_servers: z.array(z.string().max(2_000)).max(20).optional(),
  scopes_supported: z.array(z.string().max(200)).max(200).optional(),
});

/** What was said of the upstream before: where its challenge points to, and what the operator has written down. */
export interface ProtectionHints {
  readonly resourceMetadata?: string | undefined;
  /** The only issuer that may be used. */
  readonly issuer?: string | undefined;
}

/**
 * Finds who gives tokens for an upstream (RFC 9728, then RFC 8414 and OpenID Connect Discovery; without the former as
 * 2025-03-26 has it). Throws `upstream.invalid` where the resource's metadata is of another resource, or leads to another
 * issuer than the operator's.
 */
export async function discoverUpstream(
  upstream: string,
  { resourceMetadata, issuer }: ProtectionHints,
  fetch: UpstreamFetch,
): Promise<UpstreamProtection> {
  const document = await readResource(upstream, resourceMetadata, fetch);
  const listed = document?.authorization_servers ?? [];
  if (issuer !== undefined && listed.length > 0 && !listed.includes(issuer)) {
    throw invalid(`it names ${listed.join(", ").slice(0, 500)}, and the operator has said ${issuer}`);
  }
  const chosen = issuer ?? listed[0];
  const resource = document?.resource ?? canonicalResource(upstream);
  return { resource, scopes: document?.scopes_supported, server: await serverOf(chosen, upstream, fetch) };
}

async function serverOf(
  issuer: string | undefined,
  upstream: string,
  fetch: UpstreamFetch,
): Promise<AuthorizationServer> {
  const { origin } = new URL(upstream);
  if (issuer !== undefined && !URL.canParse(issuer)) throw invalid("its authorization server is no URL");
  const server = await readAuthorizationServer(issuer ?? origin, fetch);
  if (server !== undefined) return server;
  if (issuer === undefined) return guessedServer(origin);
  throw invalid(`${issuer} has no metadata`);
}

async function readResource(
  upstream: string,
  told: string | undefined,
  fetch: UpstreamFetch,
): Promise<z.output<typeof documentSchema> | undefined> {
  const places = [...(told === undefined ? [] : [told]), ...resourceMetadataUrls(upstream)];
  for (const place of new Set(places)) {
    const document = await fetch.document(place);
    if (document === undefined) continue;
    const parsed = documentSchema.safeParse(document);
    if (!parsed.success) throw invalid(`${place}: ${parsed.error.issues[0]?.path.join(".") ?? ""}`);
    if (!coversResource(parsed.data.resource, upstream)) {
      throw invalid(`${place} is of ${parsed.data.resource.slice(0, 200)}, not of ${upstream}`);
    }
    return parsed.data;
  }
  return undefined;
}

function invalid(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "What the MCP server says of its authorization cannot be used.", {
    detail,
  });
}
