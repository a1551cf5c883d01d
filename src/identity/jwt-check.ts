import type { CryptoKey } from "jose";
import { parseStrictJson } from "../kernel/strict-json.ts";
import type { TokenRules } from "../pipeline/define-key-manager.ts";
import type { SigningKeys } from "./jwks-cache.ts";

/** A JWT as it stands in the request, before anybody has checked its signature. */
export interface ReadJwt {
  readonly header: { readonly alg: string; readonly kid: string | undefined; readonly typ: string | undefined };
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The longest token that is looked at, in characters. */
export const maxTokenLength = 8_192;

const form = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const maxDepth = 32;

/**
 * Reads a signed JWT of at most 8,192 characters; else the reason why it is none. Both parts are JSON that cannot be
 * read in two ways: a claim that stands there twice is a fault. Extensions in `crit` are not understood.
 */
export function readJwt(token: string): ReadJwt | string {
  if (token.length > maxTokenLength) return `longer than ${maxTokenLength} characters`;
  if (!form.test(token)) return "not a signed JWT by its form";
  const [head = "", body = ""] = token.split(".");
  const header = readPart(head);
  if (typeof header === "string") return `its header: ${header}`;
  const claims = readPart(body);
  if (typeof claims === "string") return `its claims: ${claims}`;
  const { alg, kid, typ, crit } = header;
  if (crit !== undefined) return "its header names critical extensions";
  if (typeof alg !== "string") return "its header names no algorithm";
  if (kid !== undefined && (typeof kid !== "string" || kid.length > 500)) return "its key id is no text";
  if (typ !== undefined && typeof typ !== "string") return "its type is no text";
  return { header: { alg, kid, typ: typ === undefined ? undefined : mediaType(typ) }, claims };
}

/** Why the times that a token names do not hold at `nowMs`, or undefined when they do. It must name its end. */
export function timeFault(
  { exp, nbf, iat }: Readonly<Record<string, unknown>>,
  nowMs: number,
  skewMs: number,
): string | undefined {
  if (!isTime(exp)) return "it does not say when it ends";
  if (nowMs >= exp * 1_000 + skewMs) return "it has expired";
  if (nbf !== undefined && !isTime(nbf)) return "its `nbf` is no time";
  if (nbf !== undefined && nowMs < nbf * 1_000 - skewMs) return "it is not valid yet";
  if (iat !== undefined && !isTime(iat)) return "its `iat` is no time";
  if (iat !== undefined && nowMs < iat * 1_000 - skewMs) return "it was issued in the future";
  return undefined;
}

/** What `signatureFault` says of a token whose key is not known. */
export const unknownKey = "its key is not among those of the key manager";

/**
 * Why the signature does not hold, or undefined when it does. Throws `auth.unavailable` while there are no keys to
 * check it with.
 */
export async function signatureFault(
  token: string,
  { header, claims }: ReadJwt,
  rules: TokenRules,
  keys: SigningKeys,
  nowMs: number,
): Promise<string | undefined> {
  const candidates = await keys.find({ alg: header.alg, kid: header.kid });
  if (candidates.length === 0) return unknownKey;
  const { jwtVerify } = await import("jose");
  const verify = (key: CryptoKey) =>
    jwtVerify(token, key, {
      algorithms: [...rules.algorithms],
      issuer: String(claims["iss"]),
      currentDate: new Date(nowMs),
      clockTolerance: rules.clockSkewMs / 1_000,
      requiredClaims: ["exp"],
    });
  let fault = "";
  for (const key of candidates) {
    try {
      await verify(key);
      return undefined;
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
  }
  return fault;
}

function readPart(part: string): Readonly<Record<string, unknown>> | string {
  const read = parseStrictJson(Buffer.from(part, "base64url"), maxDepth);
  if ("fault" in read) return read.fault.message;
  const { value } = read;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : "it is no object"; // just looked at
}

// RFC 7515, 4.1.9: `application/` may be left out.
function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
