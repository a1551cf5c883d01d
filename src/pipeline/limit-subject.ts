import { z } from "zod";
import { labelNameSchema } from "../core/limit-labels.ts";
import { formatIp, ipBytes } from "../kernel/ip.ts";
import type { Exchange, Operation } from "./exchange.ts";

/** Whom a limit counts by. */
export const limitSubjectSchema = z
  .union([
    z.enum(["team", "application", "subscription", "key", "ip", "api", "model"]),
    z.strictObject({ label: labelNameSchema.meta({ title: "Label", description: "Each of its values is counted." }) }),
  ])
  .default("application")
  .meta({
    title: "Per",
    description:
      "Who is counted. `key` counts each key, or each client and user of tokens; `application` and `subscription` count a caller without one like that; callers without a key count by address; `team` counts the caller's team, `api` all callers together, `model` each model or tool, `{ label: department }` each value of that label, with callers that have none counted together. Of values that callers choose, 100,000 are counted by themselves, further ones together.",
  });

export type LimitSubject = z.output<typeof limitSubjectSchema>;

/**
 * Counts callers of one limit. What they choose themselves (values of labels other than their key's own, names of models)
 * has so many counters; further values are counted together, so that nobody takes up the room of all by making values up.
 */
export function limitSubjects(
  per: LimitSubject,
  mostChosen = 100_000,
): (exchange: Exchange, operation?: Operation) => string {
  if (typeof per !== "object" && per !== "model")
    return (exchange, operation) => limitSubject(exchange, per, operation);
  const chosen = new Set<string>();
  return (exchange, operation) => {
    const subject = limitSubject(exchange, per, operation);
    if (chosen.has(subject)) return subject;
    if (typeof per === "object" && exchange.principal?.labels?.[per.label] !== undefined) return subject;
    if (chosen.size >= mostChosen) return typeof per === "object" ? `others_${per.label}` : "others_model";
    chosen.add(subject);
    return subject;
  };
}

/**
 * The name under which this exchange is counted; its prefix keeps kinds apart. An IPv6 client counts by its /64, which
 * is what one subscriber gets at least (RFC 6177), so nobody escapes by taking another address.
 */
export function limitSubject(exchange: Exchange, per: LimitSubject, operation?: Operation): string {
  const { principal, api } = exchange;
  if (typeof per === "object") return `label_${per.label}=${exchange.labels[per.label] ?? ""}`;
  switch (per) {
    case "api":
      return api.id;
    case "team":
      return principal?.teamId ?? api.teamId;
    case "model":
      return `model_${(operation?.name ?? "").slice(0, longestName)}`;
    case "ip":
      return byAddress(exchange);
    case "application":
      return principal?.applicationId ?? byCaller(exchange);
    case "subscription":
      return principal?.applicationId === undefined ? byCaller(exchange) : `${principal.applicationId}@${api.id}`;
    case "key":
      return byCaller(exchange);
  }
}

/** How a limit's text and detail name the subject: `key`, `label department`. */
export function subjectName(per: LimitSubject): string {
  return typeof per === "object" ? `label ${per.label}` : per;
}

/** Callers choose names where an API offers whatever the provider has. */
const longestName = 128;

function byCaller(exchange: Exchange): string {
  return exchange.principal?.keyId ?? exchange.principal?.caller ?? byAddress(exchange);
}

function byAddress({ inbound }: Exchange): string {
  return `ip_${network(inbound.clientIp)}`;
}

function network(ip: string): string {
  if (!ip.includes(":")) return ip;
  const bytes = ipBytes(ip);
  return bytes?.length === 16 ? formatIp(Uint8Array.from(bytes).fill(0, 8)) : ip;
}
