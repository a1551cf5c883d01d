import type { TokenRules } from "../pipeline/define-key-manager.ts";

type Claims = Readonly<Record<string, unknown>>;

/** `aud`: one or several. Anything else is nobody. */
export function audiencesOf({ aud }: Claims): readonly string[] {
  return textsOf(aud);
}

/** The first of the claims that names a client. */
export function clientIdOf(claims: Claims, { clientIdClaims }: TokenRules): string | undefined {
  for (const name of clientIdClaims) {
    const value = memberAt(claims, name);
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

/** Scopes, as text with spaces between (RFC 9068, 2.2.3) or as a list. */
export function scopesOf(claims: Claims, { scopeClaims }: TokenRules): readonly string[] {
  for (const name of scopeClaims) {
    const value = memberAt(claims, name);
    if (typeof value === "string") return value.split(" ").filter((scope) => scope !== "");
    if (Array.isArray(value)) return value.filter((scope) => typeof scope === "string");
  }
  return [];
}

/** Text, or a list of which only texts count. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A claim as text; undefined when it is none. */
export function textOf(claims: Claims, name: string): string | undefined {
  const value = memberAt(claims, name);
  return typeof value === "string" ? value : undefined;
}

/** A claim by its name, or by a path of names with dots between where no claim has that name itself. */
export function memberAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name]; // an object, as just seen
  }
  return value;
}

/** Whether a list of APIs, by name, by context, or as objects that have either, holds the API. */
export function listsApi(value: unknown, api: { readonly name: string; readonly context: string }): boolean {
  if (!Array.isArray(value)) return false;
  return value.some((item: unknown) => {
    if (typeof item === "string") return item === api.name || item === api.context;
    if (typeof item !== "object" || item === null) return false;
    const { name, context } = item as { readonly name?: unknown; readonly context?: unknown }; // looked at below
    // Where both are said both must be right: a name is taken over by others more easily than a context.
    if (context !== undefined) return context === api.context && (name === undefined || name === api.name);
    return name === api.name;
  });
}
