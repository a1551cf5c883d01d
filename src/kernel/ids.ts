import { randomFillSync } from "node:crypto";

/** The kinds of thing that carry an id, and each one's prefix. */
export const idPrefixes = {
  team: "team",
  application: "app",
  plan: "plan",
  subscription: "sub",
  apiKey: "key",
  secret: "sec",
  llmProvider: "llmp",
  llmApi: "llm",
  mcpServer: "mcp",
  restApi: "rest",
  gateway: "gw",
  audit: "aud",
} as const;

export type IdKind = keyof typeof idPrefixes;

declare const kindOfId: unique symbol;

/** An id of one kind: an application's id does not type-check where an API's is asked. */
export type Id<Kind extends string> = string & { readonly [kindOfId]: Kind };

export type ApiId = Id<"llmApi" | "mcpServer" | "restApi">;
export type ExchangeId = Id<"exchange">;

/** A new random id, 96 bits: `newId("apiKey")` gives `key_` and 24 hex digits. */
export function newId<Kind extends IdKind>(kind: Kind): Id<Kind> {
  return `${idPrefixes[kind]}_${takeRandom(12).toString("hex")}` as Id<Kind>; // the prefix makes it one of its kind
}

/**
 * A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 random bits, so ids sort by time.
 * @param nowMs milliseconds since the Unix epoch
 */
export function uuidV7(nowMs: number): string {
  const random = takeRandom(10);
  const time = nowMs.toString(16).padStart(12, "0");
  const hex = random.toString("hex");
  const variant = ((random[2] ?? 0) & 0x3f) | 0x80;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant.toString(16)}${hex.slice(6, 8)}-${hex.slice(8)}`;
}

// One call to the system's generator serves some 800 ids: it is the dearest part of making one.
const pool = Buffer.allocUnsafe(8192);
let used = pool.length;

function takeRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}
