import { GatewayError } from "./errors.ts";
import { formatIp, ipBytes } from "./ip.ts";

/** Addresses and networks, checked once and asked often. */
export interface CidrSet {
  /** False for a text that is not an address. An IPv4-mapped IPv6 address is the IPv4 that it maps. */
  contains(ip: string): boolean;
  /** As `contains`, of the 4 or 16 bytes that `ipBytes` gives. */
  containsBytes(ip: Uint8Array): boolean;
  readonly isEmpty: boolean;
}

/**
 * A set of IPv4 and IPv6 addresses and CIDR networks (`192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`). Bits behind the
 * prefix do not matter. IPv4 and IPv6 are apart: `::/0` holds no IPv4 address.
 *
 * Throws `config.invalid` naming the first entry that is neither.
 */
export function createCidrSet(entries: readonly string[]): CidrSet {
  const addresses = new Set<string>();
  const networks: Network[] = [];
  for (const entry of entries) {
    const network = parseNetwork(entry);
    if (network === undefined) {
      throw new GatewayError("config.invalid", `${JSON.stringify(entry)} is neither an IP address nor a CIDR network.`);
    }
    if (network.prefix === network.bytes.length * 8) addresses.add(formatIp(network.bytes));
    else networks.push(network);
  }
  const containsBytes = (ip: Uint8Array): boolean =>
    (addresses.size > 0 && addresses.has(formatIp(ip))) || networks.some((network) => covers(network, ip));
  return {
    containsBytes,
    contains(ip) {
      const bytes = ipBytes(ip);
      return bytes !== undefined && containsBytes(bytes);
    },
    isEmpty: entries.length === 0,
  };
}

/** Whether `createCidrSet` would take the entry; for schemas. */
export function isCidr(entry: string): boolean {
  return parseNetwork(entry) !== undefined;
}

interface Network {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

function parseNetwork(entry: string): Network | undefined {
  const [address = "", prefixText, ...more] = entry.split("/");
  if (more.length > 0 || address.includes("%")) return undefined;
  const bytes = ipBytes(address);
  if (bytes === undefined) return undefined;
  const bits = bytes.length * 8;
  if (prefixText === undefined) return { bytes, prefix: bits };
  if (!/^(0|[1-9]\d{0,2})$/.test(prefixText)) return undefined;
  // A mapped network is written with an IPv6 prefix: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const prefix = Number(prefixText) - (bits === 32 && address.includes(":") ? 96 : 0);
  return prefix >= 0 && prefix <= bits ? { bytes, prefix } : undefined;
}

function covers({ bytes, prefix }: Network, ip: Uint8Array): boolean {
  if (ip.length !== bytes.length) return false;
  const whole = prefix >> 3;
  for (let at = 0; at < whole; at += 1) {
    if (ip[at] !== bytes[at]) return false;
  }
  const restMask = (0xff00 >> (prefix & 7)) & 0xff;
  return restMask === 0 || (((ip[whole] ?? 0) ^ (bytes[whole] ?? 0)) & restMask) === 0;
}
