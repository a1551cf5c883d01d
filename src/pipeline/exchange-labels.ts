import type { IncomingHttpHeaders } from "node:http";
import { longestLabelValue, mostLabels } from "../core/limit-labels.ts";
import type { Exchange } from "./exchange.ts";

/** The labels of an exchange that has none. */
export const noLabels: Exchange["labels"] = Object.freeze({});

/**
 * Sets `exchange.labels` of a caller who is known: the key's own, which nobody else can set, then those of the token's
 * claims, then those of allowed headers. At most ten; values are cut at 100 characters, and what is no plain text or
 * number is left out.
 */
export function setLabels(exchange: Exchange): void {
  const { principal, snapshot, inbound } = exchange;
  const own = principal?.labels ?? noLabels;
  const sources = snapshot.labels;
  if (sources === undefined) {
    exchange.labels = own;
    return;
  }
  const labels: Record<string, string> = { ...own };
  const { claims } = principal ?? {};
  if (claims !== undefined) addAll(labels, sources.fromClaims, (path) => claimOf(claims, path));
  addAll(labels, sources.fromHeaders, (name) => headerOf(inbound.headers, name));
  exchange.labels = labels;
}

function addAll(
  labels: Record<string, string>,
  sources: Readonly<Record<string, string>>,
  read: (from: string) => unknown,
): void {
  for (const [name, from] of Object.entries(sources)) {
    if (Object.hasOwn(labels, name) || Object.keys(labels).length >= mostLabels) continue;
    const value = read(from);
    const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
    if (typeof text === "string" && text !== "") labels[name] = text.slice(0, longestLabelValue);
  }
}

/** A claim by its name, or by the path to it where none is called so: `realm_access.department`. */
function claimOf(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === "string" ? value.trim() : undefined;
}
