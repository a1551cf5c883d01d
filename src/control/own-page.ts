import type { SessionRow } from "../core/access-tables.ts";
import type { CoreContext } from "../core/core-context.ts";
import { csrfToken } from "../core/sessions.ts";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";

type HeaderOf = (name: string) => string | undefined;

/**
 * Lets a request that a browser was made to send pass only when a page of this port sent it: the browser says so, and the
 * page knows the token of its session. Throws `auth.forbidden`. For requests that change something by a cookie.
 */
export function requireOwnPage(context: CoreContext, session: SessionRow, url: URL, header: HeaderOf): void {
  const site = header("sec-fetch-site");
  const origin = header("origin");
  if (site === undefined && origin === undefined) throw foreign("neither Origin nor Sec-Fetch-Site was sent");
  refuseOtherPages(url, header);
  const wanted = Buffer.from(csrfToken(context, session));
  if (!equalInConstantTime(Buffer.from(header("x-csrf-token") ?? ""), wanted)) {
    throw new GatewayError("auth.forbidden", "Send the session's csrfToken as the header `x-csrf-token`.");
  }
}

/** Refuses what a browser says to come from a page of another origin; clients that are none say nothing. */
export function refuseOtherPages(url: URL, header: HeaderOf): void {
  const site = header("sec-fetch-site");
  const origin = header("origin");
  if (site !== undefined && site !== "same-origin") throw foreign(`Sec-Fetch-Site: ${site}`);
  // The scheme is left to a proxy in front, which may speak https where this port does not.
  if (origin !== undefined && hostOf(origin) !== url.host) throw foreign("another Origin");
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\//.test(origin) ? URL.parse(origin)?.host : undefined;
}

function foreign(detail: string): GatewayError {
  return new GatewayError("auth.forbidden", "Only a page of this address may do this.", { detail });
}
