import { GatewayError } from "../kernel/errors.ts";

/** How a cookie of ours is called and guarded at this address. */
export interface CookieForm {
  /** With https only browsers take it, for this host alone and from nobody else (RFC 6265bis, 4.1.3.2). */
  readonly prefix: "__Host-" | "";
}

/**
 * The form of cookies at this address: `__Host-` where it is https. Plain http is for this machine's own addresses;
 * anywhere else a cookie would be anybody's on the way, so it throws `request.invalid`.
 */
export function cookieForm(controlUrl: string, requestUrl: URL): CookieForm {
  if (new URL(controlUrl).protocol === "https:") return { prefix: "__Host-" };
  if (loopbackNames.has(requestUrl.hostname)) return { prefix: "" };
  throw new GatewayError(
    "request.invalid",
    "Nobody can sign in over plain http from elsewhere than this machine. Set controlUrl to the https address.",
  );
}

const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The name of the cookie that holds a session. */
export const sessionCookie = "gatehouse";

/** What the session cookie of a request holds; undefined where it has none, or comes by an address that takes none. */
export function sessionSecretOf(
  { controlUrl }: { readonly controlUrl: string },
  requestUrl: URL,
  header: string | undefined,
): string | undefined {
  if (header === undefined) return undefined;
  const isSecure = new URL(controlUrl).protocol === "https:";
  if (!isSecure && !loopbackNames.has(requestUrl.hostname)) return undefined;
  return readCookie({ prefix: isSecure ? "__Host-" : "" }, header, sessionCookie);
}

/** The value for `Set-Cookie`. Without `maxAgeSeconds` it lasts as long as the browser runs; 0 takes it away. */
export function setCookie(
  { prefix }: CookieForm,
  cookie: {
    readonly name: string;
    readonly value: string;
    readonly sameSite: "Strict" | "Lax";
    readonly maxAgeSeconds?: number;
  },
): string {
  const { name, value, sameSite, maxAgeSeconds } = cookie;
  return [
    `${prefix}${name}=${value}`,
    "Path=/",
    "HttpOnly",
    `SameSite=${sameSite}`,
    ...(prefix === "" ? [] : ["Secure"]),
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
  ].join("; ");
}

/**
 * What a cookie of ours holds, of a `Cookie` header. Undefined where it is not there or has two values: one of those
 * was put there by somebody else, and nobody can say which.
 */
export function readCookie({ prefix }: CookieForm, header: string | undefined, name: string): string | undefined {
  const start = `${prefix}${name}=`;
  const values = (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .flatMap((pair) => (pair.startsWith(start) ? [pair.slice(start.length)] : []));
  const [value, ...others] = new Set(values);
  return value === undefined || value === "" || value.length > maxValue || others.length > 0 ? undefined : value;
}

const maxValue = 4_096;
