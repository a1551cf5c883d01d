import { formatIp, ipBytes } from "./ip.ts";

/**
 * Whom a limit per address counts: an IPv4 address by itself, an IPv6 address with all others of its /64, which is the
 * least that one customer is given (RFC 6177). What is no address stands for itself.
 */
export function addressBlock(ip: string): string {
  const bytes = ipBytes(ip);
  if (bytes === undefined || bytes.length === 4) return ip;
  return `${formatIp(Uint8Array.from(bytes, (byte, index) => (index < 8 ? byte : 0)))}/64`;
}
