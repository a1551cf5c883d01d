import type { ServerResponse } from "node:http";
import { metadataPrefix, resourceIdentifier, resourcePath } from "../core/resource-identifier.ts";
import type { CompiledApi, Snapshot } from "../pipeline/snapshot.ts";
import type { TokenVerifier } from "../pipeline/token-verifier.ts";

/**
 * The metadata of the API whose resource identifier the path tells (RFC 9728, 3), or undefined when the path tells of
 * none that accepts tokens. Of the scopes it names those that a token needs at least, then
 * those that some operations ask for.
 */
export function protectedResource(
  path: string,
  snapshot: Snapshot | undefined,
  tokens: TokenVerifier,
): object | undefined {
  const api = path.startsWith(metadataPrefix)
    ? findApi(path.slice(metadataPrefix.length), snapshot, tokens)
    : undefined;
  if (api?.oauth === undefined) return undefined;
  const { keyManagers } = api.oauth;
  const scopes = [...new Set([...api.oauth.scopes, ...(api.protocol.scopes ?? [])])];
  return {
    resource: resourceIdentifier(tokens.publicUrl, api),
    resource_name: api.name,
    authorization_servers: tokens.issuers(keyManagers),
    bearer_methods_supported: ["header"],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
  };
}

/** Writes the document; any page may read it, for clients in browsers begin here. */
export function writeMetadata(response: ServerResponse, document: object): void {
  const bytes = Buffer.from(JSON.stringify(document));
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "public, max-age=60",
    "access-control-allow-origin": "*",
  });
  response.end(bytes);
}

// A proxy in front may take a prefix off every path or off none: the public URL's own path may stand there or not.
function findApi(path: string, snapshot: Snapshot | undefined, { publicUrl }: TokenVerifier): CompiledApi | undefined {
  const base = new URL(publicUrl).pathname.replace(/\/$/, "");
  return snapshot?.apis.find((api) => {
    const own = resourcePath(api);
    return path === own || (base !== "" && path === base + own);
  });
}
