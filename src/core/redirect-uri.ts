import type { LinearRegex } from "../kernel/safe-regex.ts";
import { linearRegex } from "../kernel/safe-regex.ts";
import type { OauthClientMetadata } from "./identity-tables.ts";

export type ApplicationType = OauthClientMetadata["applicationType"];

/**
 * What is wrong with a redirect URI that is to be registered, or undefined. Web clients: https, or http on loopback.
 * Native ones also reverse-domain schemes (RFC 8252, 7.1) and those of the few applications in wide use that have
 * another. Never a fragment, a wildcard, a user, or a spelling that a browser reads in another way than we do.
 */
export function redirectUriIssue(uri: string, type: ApplicationType): string | undefined {
  if (uri.length > 2_000) return "at most 2,000 characters";
  if (uri.includes("#")) return "a redirect URI has no fragment (RFC 6749, 3.1.2)";
  if (uri.includes("*")) return "redirect URIs match literally, without wildcards; ask for redirectUriPattern instead";
  if (!/^[\w.~:/?[\]@!$&'()+,;=%-]+$/.test(uri)) return "only the characters of a URI (RFC 3986); encode the others";
  if (!URL.canParse(uri)) return "write a whole URI, such as https://app.example.com/callback";
  const url = new URL(uri);
  if (url.username !== "" || url.password !== "") return "a redirect URI holds no user and no password";
  switch (url.protocol) {
    case "https:":
      return spellingIssue(uri, url);
    case "http:":
      return loopbackHosts.has(url.hostname) ? spellingIssue(uri, url) : "http is for loopback only; use https";
    default:
      return customSchemeIssue(url, type);
  }
}

/**
 * Tells whether an authorization request may name this URI. Registered ones match character for character; a native
 * client's loopback URI on any port (RFC 8252, 7.3). Compile it once for a client. Throws `resource.invalid` for a
 * pattern that `redirectPatternIssue` finds fault with.
 */
export function compileRedirectUris(
  metadata: Pick<OauthClientMetadata, "redirectUris" | "redirectUriPattern" | "applicationType">,
): (uri: string) => boolean {
  const literal = new Set(metadata.redirectUris);
  const loopback = new Set(
    metadata.applicationType === "native" ? metadata.redirectUris.flatMap((uri) => withoutLoopbackPort(uri) ?? []) : [],
  );
  const pattern = metadata.redirectUriPattern === undefined ? undefined : compilePattern(metadata.redirectUriPattern);
  return (uri) => {
    if (literal.has(uri)) return true;
    const portless = withoutLoopbackPort(uri);
    if (portless !== undefined && loopback.has(portless)) return true;
    return pattern?.(uri) === true && redirectUriIssue(uri, metadata.applicationType) === undefined;
  };
}

/**
 * What is wrong with a pattern of redirect URIs, or undefined: `https://pr-[0-9]+\.example\.com/callback`. The host and
 * what is behind it are two expressions, each matched as a whole, so that no expression about the path can reach a
 * host; and a host ends in a literal domain of two labels.
 */
export function redirectPatternIssue(pattern: string): string | undefined {
  const parts = partsOf(pattern);
  if (parts === undefined) return "begin with https:// and a host that ends in a literal domain, its dots as \\.";
  try {
    compilePattern(pattern);
    return undefined;
  } catch {
    return "not valid RE2 syntax";
  }
}

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

// Not by RFC 8252, but registered with every operating system that these run on.
const knownSchemes: ReadonlySet<string> = new Set(["vscode:", "vscode-insiders:", "cursor:", "windsurf:", "zed:"]);

// `https:/host`, `https:host` and upper case parse to another text than they are; what is compared must be what is followed.
function spellingIssue(uri: string, url: URL): string | undefined {
  if (uri === url.origin || uri.startsWith(`${url.origin}/`) || uri.startsWith(`${url.origin}?`)) return undefined;
  return `write it as ${url.origin}/… with the host in lower case and without its scheme's own port`;
}

function customSchemeIssue(url: URL, type: ApplicationType): string | undefined {
  const scheme = url.protocol.slice(0, -1);
  if (type !== "native") return `${scheme} is no scheme for a web client; use https`;
  if (/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/.test(scheme) || knownSchemes.has(url.protocol)) return undefined;
  return "a native client's own scheme is a domain in reverse, such as com.example.app (RFC 8252, 7.1)";
}

const loopbackForm = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::\d{1,5})?(?=[/?]|$)/;

function withoutLoopbackPort(uri: string): string | undefined {
  return loopbackForm.test(uri) ? uri.replace(loopbackForm, "$1") : undefined;
}

const hostForm = /^(?:[a-z0-9-]|\\\.|\[[a-z0-9-]+\](?:[+*?]|\{\d{1,2}(?:,\d{0,2})?\})?)+(?::\d{1,5})?$/;
const literalDomain = /(?:^|\\\.)[a-z0-9-]+\\\.[a-z0-9-]*[a-z](?::\d{1,5})?$/;

function partsOf(pattern: string): { readonly host: string; readonly rest: string } | undefined {
  const [, host, rest] = /^https:\/\/([^/]+)\/(.{0,1000})$/s.exec(pattern) ?? [];
  if (host === undefined || rest === undefined) return undefined;
  return hostForm.test(host) && literalDomain.test(host) ? { host, rest } : undefined;
}

function compilePattern(pattern: string): (uri: string) => boolean {
  const { host, rest } = partsOf(pattern) ?? { host: "", rest: "" };
  const hostRegex = wholeRegex(host);
  const restRegex = wholeRegex(rest);
  return (uri) => {
    const [, uriHost, uriRest] = /^https:\/\/([^/?#]+)\/(.*)$/s.exec(uri) ?? [];
    return uriHost !== undefined && uriRest !== undefined && hostRegex.test(uriHost) && restRegex.test(uriRest);
  };
}

// By itself first: an expression that closes a group it did not open would escape the one that anchors it.
function wholeRegex(expression: string): LinearRegex {
  linearRegex(expression);
  return linearRegex(`\\A(?:${expression})\\z`);
}
