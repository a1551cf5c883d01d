import { addressClass } from "../../kernel/address-class.ts";
import { canonicalIp } from "../../kernel/ip.ts";
import type { UrlParts } from "./url-pattern.ts";

/**
 * The parts of a URL as a browser reads it, whatever its spelling: numbers of another base in an address, percent signs
 * and letters of other scripts in a name. Undefined where it is none.
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function readUrl(text: string): UrlParts | undefined {
  const plain = readPlain(text);
  if (plain !== undefined) return plain;
  const url = URL.parse(text);
  if (url === null) return undefined;
  const scheme = url.protocol.slice(0, -1);
  return { scheme, host: plainHost(url.hostname, scheme), port: url.port, path: url.pathname + url.search };
}

/**
 * A name that is written as a browser would write it: it ends in no number, so that it is no address, and has neither port
 * nor user. Most URLs are so, and only lists of paths need more of them.
 */
const plainForm = /^(https?):\/\/((?:[a-z0-9-]{1,63}\.){0,20}[a-z][a-z0-9-]{0,62})(?:[/?#]|$)/;

function readPlain(text: string): UrlParts | undefined {
  const [, scheme, host] = plainForm.exec(text) ?? [];
  return scheme === undefined || host === undefined || host.includes("xn--")
    ? undefined
    : new PlainParts(text, scheme, host);
}

class PlainParts implements UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly port = "";
  readonly #text: string;

  constructor(text: string, scheme: string, host: string) {
    this.#text = text;
    this.scheme = scheme;
    this.host = host;
  }

  get path(): string {
    const url = URL.parse(this.#text);
    return url === null ? "" : url.pathname + url.search;
  }
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
