/** What of an API decides where it is reached. */
export interface ReachedApi {
  readonly kind: string;
  readonly context: string;
}

/**
 * The resource identifier of an API (RFC 8707): what a token's `aud` must hold to be of use there, and what a client
 * asks its token for. It is the API's own address, without a slash at the end.
 */
export function resourceIdentifier(publicUrl: string, api: ReachedApi): string {
  return publicUrl.replace(/\/+$/, "") + resourcePath(api);
}

/** The path of the resource identifier: `/chat`, `/notes/mcp`. */
export function resourcePath({ kind, context }: ReachedApi): string {
  return kind === "McpServer" ? `${context}/mcp` : context;
}

/** Where the metadata of a protected resource is (RFC 9728, 3.1): the well-known part stands before its path. */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${metadataPrefix}${pathname === "/" ? "" : pathname}`;
}

/** Begins the path of every such document. */
export const metadataPrefix = "/.well-known/oauth-protected-resource";
