import { isObject } from "./json-rpc.ts";
import { metaKeys } from "./modern.ts";
import { withMeta, withoutReserved } from "./reserved-meta.ts";

type Result = Readonly<Record<string, unknown>>;

/** Methods whose results say how long they may be kept (2026-07-28, server/utilities/caching). */
const cacheable: ReadonlySet<string> = new Set([
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
]);

/**
 * A result as the stateless era has it: with `resultType`, the server's name, and how long it may be kept where that must
 * be said. It is one caller's own, for callers differ in what they may see.
 */
export function modernResult(method: string, result: Result, serverInfo: Result | undefined): Result {
  const plain = withMeta(withoutReserved(result), { [metaKeys.serverInfo]: serverInfo });
  const typed = { resultType: "complete", ...plain };
  if (!cacheable.has(method) || typed.resultType !== "complete") return typed;
  const { ttlMs } = result;
  return { ...typed, ttlMs: typeof ttlMs === "number" && ttlMs >= 0 ? ttlMs : 0, cacheScope: "private" };
}

/** A result as the sessions' era has it: without the members that only the other one knows. */
export function legacyResult(method: string, result: Result): Result {
  const { resultType: _, ttlMs, cacheScope, ...rest } = withoutReserved(result);
  if (cacheable.has(method)) return rest;
  return { ...rest, ...(ttlMs !== undefined && { ttlMs }), ...(cacheScope !== undefined && { cacheScope }) };
}

/** The capabilities of a server for clients of the other era: its tasks and extensions mean something else there. */
export function bridgedCapabilities(capabilities: Result): Result {
  const { tasks: _, extensions: __, ...rest } = capabilities;
  return rest;
}

/** What a result that asks for input asks, by key; empty where it only has a state to come back with. */
export function inputRequestsOf(
  result: Result,
): ReadonlyMap<string, { readonly method: string; readonly params: Result }> {
  const requests = isObject(result["inputRequests"]) ? result["inputRequests"] : {};
  return new Map(
    Object.entries(requests).flatMap(([key, asked]) => {
      if (!isObject(asked) || typeof asked["method"] !== "string") return [];
      const params = isObject(asked["params"]) ? withoutReserved(asked["params"]) : {};
      return [[key, { method: asked["method"], params }]];
    }),
  );
}
