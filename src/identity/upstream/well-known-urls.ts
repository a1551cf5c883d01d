/**
 * Where the metadata of a protected resource may be, in the order of the specification (RFC 9728, 3.1; MCP 2026-07-28,
 * basic/authorization): with the resource's path, then at the root.
 */
export function resourceMetadataUrls(resource: string): readonly string[] {
  const { origin, pathname } = new URL(resource);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname.replace(/\/+$/, "");
  return path === "" ? [root] : [root + path, root];
}

/**
 * Where the metadata of an authorization server may be, in the order of the specification: RFC 8414, then OpenID Connect
 * Discovery, each with the issuer's path after the well-known part, then Discovery's own spelling.
 */
export function serverMetadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, "");
  const [oauth, openid] = [`${origin}/.well-known/oauth-authorization-server`, "/.well-known/openid-configuration"];
  if (path === "") return [oauth, origin + openid];
  return [oauth + path, origin + openid + path, origin + path + openid];
}

/** A URL without a slash at its end, a query and a fragment: how resources are compared. */
export function canonicalResource(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

/** Whether a resource's identifier is that of this upstream, or of a place above it on the same origin. */
export function coversResource(resource: string, upstream: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [wide, narrow] = [canonicalResource(resource), canonicalResource(upstream)];
  return narrow === wide || narrow.startsWith(`${wide}/`);
}
