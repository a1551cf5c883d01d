/** What a server says with a 401 or 403 of what it wants (RFC 6750, 3; RFC 9728, 5.1). */
export interface BearerChallenge {
  readonly status: 401 | 403;
  /** Where the metadata of the resource is. */
  readonly resourceMetadata: string | undefined;
  /** Scopes that the request needs, all of them. */
  readonly scopes: readonly string[] | undefined;
  readonly error: string | undefined;
}

const longest = 8_192;
const mostScopes = 50;
const parameterPattern = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/**
 * The bearer challenge in `WWW-Authenticate`; undefined where the answer is no 401 or 403. A 401 without a challenge is
 * one that says nothing; a 403 without one is no matter of tokens.
 */
export function readBearerChallenge(
  status: number,
  header: string | readonly string[] | undefined,
): BearerChallenge | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const texts = typeof header === "string" ? [header] : (header ?? []);
  const parameters = texts.map((text) => bearerParameters(text.slice(0, longest))).find((each) => each !== undefined);
  if (parameters === undefined && status === 403) return undefined;
  const scopes = parameters
    ?.get("scope")
    ?.split(" ")
    .filter((scope) => scopePattern.test(scope));
  return {
    status,
    resourceMetadata: parameters?.get("resource_metadata"),
    scopes: scopes === undefined || scopes.length === 0 ? undefined : [...new Set(scopes)].slice(0, mostScopes),
    error: parameters?.get("error"),
  };
}

/** A request with more scopes could succeed: the server says which (RFC 6750, 3.1, `insufficient_scope`). */
export function wantsMoreScopes({ status, scopes, error }: BearerChallenge): boolean {
  return status === 403 && scopes !== undefined && (error === undefined || error === "insufficient_scope");
}

/** Of the challenges in a header those of the scheme `Bearer`; a header may hold several (RFC 9110, 11.6.1). */
function bearerParameters(text: string): ReadonlyMap<string, string> | undefined {
  const begin = /(?:^|,)[ \t]*bearer(?=[ \t]|,|$)/i.exec(text);
  if (begin === null) return undefined;
  const found = new Map<string, string>();
  parameterPattern.lastIndex = begin.index + begin[0].length;
  for (;;) {
    const match = parameterPattern.exec(text);
    if (match === null) return found;
    const [, name = "", quoted, plain = ""] = match;
    const value = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, "$1");
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value);
  }
}
