import { GatewayError } from "./errors.ts";

/** The `Host` and `Origin` that this port answers to. Throws `auth.forbidden_host` for any other. */
export interface AllowedHosts {
  /** @param hosts every place in which the request names the host: the header, and the authority of its target */
  check(hosts: readonly string[], origin: string | undefined): void;
}

interface Authority {
  readonly hostname: string;
  /** Empty when it is the scheme's own. */
  readonly port: string;
}

/**
 * Against DNS rebinding and pages of other sites (a browser tells both truly): hosts are parsed and compared whole,
 * never searched, so `localhost.evil.com` is not `localhost`. An Origin must be this port's own, that of `controlUrl`,
 * or in the list. An entry that is no host throws `config.invalid`.
 */
export function createAllowedHosts(hosts: readonly string[], controlUrl: string): AllowedHosts {
  const own = new URL(controlUrl);
  const listed = hosts.map((host) => {
    const authority = parseAuthority(host, "http:");
    if (authority === undefined) throw new GatewayError("config.invalid", `allowedHosts: ${host} is not a host.`);
    return authority;
  });

  const judge = (host: string): boolean => {
    const authority = parseAuthority(host, own.protocol);
    if (authority === undefined) return false;
    if (authority.hostname === own.hostname) return true;
    return listed.some(
      (entry) => entry.hostname === authority.hostname && (entry.port === "" || entry.port === authority.port),
    );
  };

  // Clients name one or two hosts for ever, so each text is judged once. Bounded: strangers choose the text.
  const judged = new Map<string, boolean>();
  const hostIsAllowed = (host: string): boolean => {
    const known = judged.get(host);
    if (known !== undefined) return known;
    const verdict = judge(host);
    if (judged.size < judgedLimit && host.length < 256) judged.set(host, verdict);
    return verdict;
  };

  const originIsAllowed = (origin: string, requestHosts: readonly string[]): boolean => {
    const url = parseOrigin(origin);
    if (url === undefined) return false;
    if (url.origin === own.origin) return true;
    if (requestHosts.some((host) => isSame(parseAuthority(host, url.protocol), url))) return true;
    return listed.some((entry) => isSame(entry, url));
  };

  return {
    check(requestHosts, origin) {
      if (requestHosts.length === 0 || !requestHosts.every(hostIsAllowed)) {
        throw new GatewayError("auth.forbidden_host", "This host is not one of those that are answered to.", {
          detail: "add it to allowedHosts if it is yours",
        });
      }
      if (origin !== undefined && !originIsAllowed(origin, requestHosts)) {
        throw new GatewayError("auth.forbidden_host", "Pages of this origin may not call this port.");
      }
    },
  };
}

const judgedLimit = 1_000;

function isSame(left: Authority | undefined, right: Authority): boolean {
  return left !== undefined && left.hostname === right.hostname && left.port === right.port;
}

/** `host`, `host:port` or `[v6]:port`, and nothing more. The URL parser lowers the case and shortens addresses. */
function parseAuthority(text: string, protocol: string): Authority | undefined {
  if (!/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(text)) return undefined;
  const url = URL.parse(`${protocol}//${text}`);
  return url === null ? undefined : { hostname: url.hostname, port: url.port };
}

/** An origin as browsers write it: scheme and authority only. `null` (sandboxed pages, files) is none. */
function parseOrigin(text: string): URL | undefined {
  const match = /^(https?:)\/\/([^/]+)$/i.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  if (parseAuthority(match[2], match[1]) === undefined) return undefined;
  return URL.parse(text) ?? undefined;
}
