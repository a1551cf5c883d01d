import { z } from "zod";
import { formatIp, ipBytes } from "../kernel/ip.ts";
import type { Exchange } from "./exchange.ts";

/** Whom a limit counts by. */
export const limitSubjectSchema = z.enum(["application", "key", "ip", "api"]).default("application").meta({
  title: "Per",
  description:
    "Who is counted. `key` counts each key, or each client and user of tokens; `application` counts a caller without one like that; callers without a key count by address; `api` counts all callers together.",
});

export type LimitSubject = z.output<typeof limitSubjectSchema>;

/**
 * The name under which this exchange is counted; its prefix keeps kinds apart. An IPv6 client counts by its /64, which
 * is what one subscriber gets at least (RFC 6177), so nobody escapes by taking another address.
 */
export function limitSubject(exchange: Exchange, per: LimitSubject): string {
  if (per === "api") return exchange.api.id;
  const { principal } = exchange;
  if (per === "application" && principal?.applicationId !== undefined) return principal.applicationId;
  const caller = principal?.keyId ?? principal?.caller;
  if (per !== "ip" && caller !== undefined) return caller;
  return `ip_${network(exchange.inbound.clientIp)}`;
}

function network(ip: string): string {
  if (!ip.includes(":")) return ip;
  const bytes = ipBytes(ip);
  return bytes?.length === 16 ? formatIp(Uint8Array.from(bytes).fill(0, 8)) : ip;
}
