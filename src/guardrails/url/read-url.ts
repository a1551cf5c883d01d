import { addressClass } from "../../kernel/address-class.ts";
import { canonicalIp } from "../../kernel/ip.ts";
import type { UrlParts } from "./url-pattern.ts";

/**
 * The parts of a URL as a browser reads it, whatever its spelling: numbers of another base in an address, percent signs
 * and letters of other scripts in a name. Undefined where it is none.
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function readUrl(text: string): UrlParts | undefined {
  const url = URL.parse(text);
  if (url === null) return undefined;
  const scheme = url.protocol.slice(0, -1);
  return { scheme, host: plainHost(url.hostname, scheme), port: url.port, path: url.pathname + url.search };
}

// Of schemes that no standard lists the host is left as it is written: it is read again as one of http.
function plainHost(hostname: string, scheme: string): string {
  const host = isListed.test(scheme)
    ? hostname
    : (URL.parse(`http://${hostname}/`)?.hostname ?? hostname.toLowerCase());
  return /[\].]$/.test(host) ? host.replace(/^\[|\]$/g, "").replace(/\.+$/, "") : host;
}

const isListed = /^(?:https?|wss?|ftp)$/;

/** Whether a host is, by its spelling alone, no place on the public internet. */
export function isPrivateHost(host: string): boolean {
  const address = canonicalIp(host);
  if (address !== undefined) return addressClass(address) !== "public";
  return (
    host !== "" && (!host.includes(".") || /\.(?:localhost|local|internal|home\.arpa|lan|intranet|corp)$/.test(host))
  );
}
