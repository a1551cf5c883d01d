import type { ServerResponse } from "node:http";
import { resourceIdentifier, resourcePath } from "../core/resource-identifier.ts";
import { serverMetadataUrls } from "../identity/upstream/well-known-urls.ts";
import type { CompiledApi, Snapshot } from "../pipeline/snapshot.ts";
import type { TokenVerifier } from "../pipeline/token-verifier.ts";

/** What a well-known address tells. */
export type OauthMetadata =
  /** The metadata of a protected resource (RFC 9728). */
  | { readonly type: "resource"; readonly document: object }
  /** That of the resident authorization server, by its path below the issuer. */
  | { readonly type: "resident"; readonly target: string }
  /** That of an authorization server elsewhere. */
  | { readonly type: "elsewhere"; readonly url: string };

/** The ends of addresses at which metadata is looked for, and what is there. */
const wellKnown = {
  "oauth-protected-resource": "resource",
  "oauth-authorization-server": "server",
  "openid-configuration": "server",
} as const;

const addressPattern =
  /^(.*?)\/\.well-known\/(oauth-protected-resource|oauth-authorization-server|openid-configuration)(\/.*)?$/;

/**
 * What an address tells of the API whose tokens are asked for, in every spelling that clients try: the well-known part
 * before the path of the API, after it, and alone where one API only accepts tokens; with and without a slash at the end.
 * Clients of 2025-03-26 look for the authorization server's metadata at the resource's own host: they are led there.
 * Undefined for any other address.
 */
export function oauthMetadata(
  path: string,
  snapshot: Snapshot | undefined,
  tokens: TokenVerifier,
  residentIssuer: string | undefined,
): OauthMetadata | undefined {
  const match = addressPattern.exec(path);
  if (match === null) return undefined;
  const [, before = "", name = "", after = ""] = match;
  if (before !== "" && after !== "" && after !== "/") return undefined;
  const api = findApi((before + after).replace(/\/$/, ""), snapshot, tokens);
  if (api?.oauth === undefined) return undefined;
  if (wellKnown[name as keyof typeof wellKnown] === "resource") {
    return { type: "resource", document: resourceDocument(api, api.oauth, tokens) };
  }
  const issuers = tokens.issuers(api.oauth.keyManagers);
  if (residentIssuer !== undefined && issuers.includes(residentIssuer)) {
    return { type: "resident", target: `/.well-known/${name}` };
  }
  const [issuer] = issuers;
  const url = issuer === undefined ? undefined : serverMetadataUrls(issuer).find((each) => each.includes(name));
  return url === undefined ? undefined : { type: "elsewhere", url };
}

/** Of the scopes it names those that a token needs at least, then those that some operations ask for. */
function resourceDocument(
  api: CompiledApi,
  { scopes: least, keyManagers }: NonNullable<CompiledApi["oauth"]>,
  tokens: TokenVerifier,
): object {
  const scopes = [...new Set([...least, ...(api.protocol.scopes ?? [])])];
  return {
    resource: resourceIdentifier(tokens.publicUrl, api),
    resource_name: api.name,
    authorization_servers: tokens.issuers(keyManagers),
    bearer_methods_supported: ["header"],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
  };
}

/** Any page may read what is told here: clients in browsers begin with it. */
export const openToPages = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD",
  "access-control-allow-headers": "mcp-protocol-version, content-type, accept",
  "access-control-max-age": "86400",
} as const;

/** Writes the metadata of a resource. */
export function writeMetadata(response: ServerResponse, document: object): void {
  const bytes = Buffer.from(JSON.stringify(document));
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "public, max-age=60",
    ...openToPages,
  });
  response.end(bytes);
}

// A proxy in front may take a prefix off every path or off none: the public URL's own path may stand there or not.
function findApi(path: string, snapshot: Snapshot | undefined, { publicUrl }: TokenVerifier): CompiledApi | undefined {
  const base = new URL(publicUrl).pathname.replace(/\/$/, "");
  if (path === "" || path === base) return onlyApi(snapshot);
  return snapshot?.apis.find((api) => {
    const own = resourcePath(api);
    return path === own || (base !== "" && path === base + own);
  });
}

/** The root speaks for an API where it cannot be mistaken for another one. */
function onlyApi(snapshot: Snapshot | undefined): CompiledApi | undefined {
  const [only, ...others] = snapshot?.apis.filter(({ oauth }) => oauth !== undefined) ?? [];
  return others.length === 0 ? only : undefined;
}
