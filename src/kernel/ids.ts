import { randomFillSync } from "node:crypto";

/** The kinds of thing that carry an id, and each one's prefix. */
export const idPrefixes = {
  team: "team",
  application: "app",
  plan: "plan",
  subscription: "sub",
  apiKey: "key",
  secret: "sec",
  inlineSecret: "isv",
  llmProvider: "llmp",
  llmApi: "llm",
  mcpServer: "mcp",
  restApi: "rest",
  asyncApi: "asy",
  ruleset: "rules",
  governancePolicy: "gpol",
  exemption: "exm",
  gateway: "gw",
  keyManager: "km",
  oauthClient: "oac",
  oauthClientSecret: "ocs",
  user: "usr",
  session: "ses",
  accessToken: "pat",
  upstreamCredential: "ucr",
  upstreamClient: "ucl",
  approval: "apv",
  alert: "alr",
  alertEvent: "ale",
  webhookDelivery: "whd",
  audit: "aud",
  installation: "inst",
} as const;

export type IdKind = keyof typeof idPrefixes;

declare const kindOfId: unique symbol;

/** An id of one kind: an application's id does not type-check where an API's is asked. */
export type Id<Kind extends string> = string & { readonly [kindOfId]: Kind };

export type ApiId = Id<"llmApi" | "mcpServer" | "restApi" | "asyncApi">;
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
  if (nowMs !== prefixMs) {
    const time = Math.trunc(nowMs).toString(16).padStart(12, "0");
    prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    prefixMs = nowMs;
  }
  if (used + 10 > pool.length) refill();
  const at = used;
  used += 10;
  const variant = (byteAt(at + 2) & 0x3f) | 0x80;
  return (
    prefix + // its last digit is the version's
    lastDigit(at) +
    digits(at + 1) +
    "-" +
    hexDigits[variant] +
    digits(at + 3) +
    "-" +
    digits(at + 4) +
    digits(at + 5) +
    digits(at + 6) +
    digits(at + 7) +
    digits(at + 8) +
    digits(at + 9)
  );
}

// Ids come in bursts, so many share their milliseconds.
let prefixMs = -1;
let prefix = "";

const hexDigits: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function byteAt(at: number): number {
  return pool[at] ?? 0; // callers stay within the pool
}

function digits(at: number): string {
  return hexDigits[byteAt(at)] ?? "";
}

function lastDigit(at: number): string {
  return digits(at).charAt(1);
}

// One call to the system's generator serves some 800 ids: it is the dearest part of making one.
const pool = Buffer.allocUnsafe(8192);
let used = pool.length;

function refill(): void {
  randomFillSync(pool);
  used = 0;
}

function takeRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) refill();
  used += bytes;
  return pool.subarray(used - bytes, used);
}
