import type { IncomingMessage } from "node:http";
import type { AllowedHosts } from "../kernel/allowed-hosts.ts";
import { toGatewayError } from "../kernel/errors.ts";
import { readTarget } from "../kernel/request-target.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";

export interface AcceptOptions {
  readonly allowedHosts: AllowedHosts;
  /** True from the moment when the process was asked to stop. */
  draining(): boolean;
}

/** What holds before anything is looked at: the host and origin named, and whether there is still time. */
export function accept(incoming: IncomingMessage, options: AcceptOptions): Deny | undefined {
  return acceptFrom(incoming, incoming.headers.origin, options);
}

/** The same for what any page may read: its origin says nothing. */
export function acceptAnyPage(incoming: IncomingMessage, options: AcceptOptions): Deny | undefined {
  return acceptFrom(incoming, undefined, options);
}

function acceptFrom(incoming: IncomingMessage, origin: string | undefined, options: AcceptOptions): Deny | undefined {
  try {
    options.allowedHosts.check(hostsOf(incoming), origin);
  } catch (error) {
    const { code, message, detail } = toGatewayError(error);
    const named = `host ${hostsOf(incoming).join(", ")}${origin === undefined ? "" : `, origin ${origin}`}`;
    return deny(code, message, {
      detail: [named.slice(0, longestDetail), detail].filter((each) => each !== undefined).join(": "),
    });
  }
  if (!options.draining()) return undefined;
  return deny("server.draining", "The gateway is shutting down; try again.", { retryAfterMs: 1_000 });
}

const longestDetail = 200;

function hostsOf(incoming: IncomingMessage): readonly string[] {
  const authority = incoming.headers[":authority"];
  const { host } = incoming.headers;
  return [host, typeof authority === "string" ? authority : undefined].filter((each) => each !== undefined);
}

/** Encoded slashes and the like are for endpoints that take them as one value, and the request has come to none. */
export function ambiguous({ url = "" }: IncomingMessage): Deny | undefined {
  return readTarget(url) === "plain" ? undefined : deny("request.invalid", "The request's path is not plain.");
}
