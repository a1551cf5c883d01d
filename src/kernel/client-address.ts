import type { IncomingHttpHeaders } from "node:http";
import type { CidrSet } from "./cidr-set.ts";
import { canonicalIp } from "./ip.ts";

/**
 * Who the client is, in canonical form. The socket's peer, unless that is a trusted proxy: then `X-Forwarded-For` is
 * read from its right end, over entries that are trusted proxies themselves, up to the first that is not. Whatever
 * stands left of that one was written by the client and is never read.
 *
 * An entry that is not an address (`unknown`, a name) ends the walk: the hop that reported it is answered. The
 * `Forwarded` header (RFC 7239) is not read: a proxy that sets one and passes the other on would let a client choose.
 *
 * @param socketIp undefined when the socket is closed already; the answer is then the empty string, which is in no CidrSet
 */
export function clientAddress(
  socketIp: string | undefined,
  headers: IncomingHttpHeaders,
  trustedProxies: CidrSet,
): string {
  let client = socketIp === undefined ? undefined : canonicalIp(socketIp);
  if (client === undefined) return "";
  if (trustedProxies.isEmpty) return client;
  const hops = forwardedFor(headers);
  while (trustedProxies.contains(client)) {
    const hop = hops.pop();
    const address = hop === undefined ? undefined : hopAddress(hop);
    if (address === undefined) break;
    client = address;
  }
  return client;
}

function forwardedFor(headers: IncomingHttpHeaders): string[] {
  const header = headers["x-forwarded-for"];
  const text = Array.isArray(header) ? header.join(",") : header;
  return text === undefined ? [] : text.split(",");
}

/** The address of one entry. Some proxies add a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function hopAddress(hop: string): string | undefined {
  const text = hop.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  if (bracketed !== undefined) return canonicalIp(bracketed);
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  return canonicalIp(withPort ?? text);
}
