import errors from "undici/lib/core/errors.js";
import { GatewayError } from "../kernel/errors.ts";

/** What went wrong on the way to an upstream, in our codes; the caller's text names no host. */
export function upstreamFault(cause: unknown, origin: string): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const code = codeOf(cause);
  const detail = `${origin}: ${code ?? ""} ${cause instanceof Error ? cause.message : String(cause)}`.trim();
  if (cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError) {
    return new GatewayError("upstream.timeout", "The upstream did not answer in time.", { detail, cause });
  }
  if (cause instanceof errors.ConnectTimeoutError || (code !== undefined && unreachableCodes.has(code))) {
    return new GatewayError("upstream.unreachable", "The upstream cannot be reached.", { detail, cause });
  }
  if (cause instanceof errors.HTTPParserError || (cause instanceof Error && cause.name === "HTTPParserError")) {
    // Without its cause, which carries what the upstream sent: an answer's text has no place in a log.
    return new GatewayError("upstream.invalid", "The upstream's answer is not valid HTTP.", { detail });
  }
  if (cause instanceof errors.HeadersOverflowError) {
    return new GatewayError("upstream.invalid", "The upstream's headers are too large.", { detail, cause });
  }
  if (cause instanceof errors.InvalidArgumentError) {
    // Nothing was sent: the request is what we made, so neither the upstream nor the client is to blame.
    return new GatewayError("internal", "The gateway made a request that cannot be sent.", { detail, cause });
  }
  return new GatewayError("upstream.reset", "The upstream closed the connection before its answer was whole.", {
    detail,
    cause,
  });
}

/** Nothing of the request can have reached the upstream. */
const unreachableCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function codeOf(cause: unknown): string | undefined {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return undefined;
}
