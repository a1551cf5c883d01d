import { isIPv4, isIPv6 } from "node:net";

/**
 * The one spelling of an address, so that equal addresses are equal strings: IPv4 in dots, IPv6 by RFC 5952 (lower
 * case, the longest run of zeros shortened), without a zone, and an IPv4-mapped IPv6 address as the IPv4 that it is.
 * Undefined for anything that is not an address, e.g. octets with leading zeros, a port behind it or brackets round it.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bytes = ipBytes(text);
  return bytes && formatIp(bytes);
}

/** The address in network order: 4 bytes for IPv4 and IPv4-mapped IPv6, else 16. Undefined when it is no address. */
export function ipBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text)) return undefined;
  const bytes = ipv6Bytes(text.split("%", 1)[0] ?? "");
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** The canonical text of 4 or 16 bytes in network order. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  const run = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function ipv6Bytes(text: string): Uint8Array {
  const [head = "", tail] = text.split("::", 2);
  const front = groupBytes(head);
  const back = groupBytes(tail ?? "");
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index + 1 - length, length };
  }
  return best;
}
