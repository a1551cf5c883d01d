import type { IncomingHttpHeaders } from "node:http";

/** What a client wants of caches (RFC 9111, 5.2.1); other directives change nothing here. */
export interface CacheWish {
  /** Nothing is looked up and nothing kept. */
  readonly noStore: boolean;
  /** Milliseconds that an answer may have been kept for; 0 where only a fresh one will do, undefined for any. */
  readonly maxAgeMs: number | undefined;
}

/** The wish of a request. `no-cache` asks for a fresh answer, which is kept. A `max-age` that is no number is 0. */
export function cacheWish(headers: IncomingHttpHeaders): CacheWish {
  const given = headers["cache-control"];
  const directives = directivesOf(given ?? headers["pragma"]); // which counts where the other is absent (5.4)
  const maxAge = given === undefined ? undefined : directives.get("max-age");
  const maxAgeMs = maxAge === undefined ? undefined : /^\d{1,10}$/.test(maxAge) ? Number(maxAge) * 1_000 : 0;
  return { noStore: directives.has("no-store"), maxAgeMs: directives.has("no-cache") ? 0 : maxAgeMs };
}

/** Whether an answer with that `cache-control` may be kept: for one caller, or for all. */
export function mayKeep(cacheControl: string | undefined, isShared: boolean): boolean {
  const directives = directivesOf(cacheControl);
  return !directives.has("no-store") && !(isShared && directives.has("private"));
}

function directivesOf(value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== "string") return new Map();
  return new Map(
    value.split(",").map((directive) => {
      const [name = "", argument = ""] = directive.split("=", 2);
      return [name.trim().toLowerCase(), argument.trim().replace(/^"(.*)"$/, "$1")];
    }),
  );
}
