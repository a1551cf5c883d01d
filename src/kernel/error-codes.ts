/**
 * The closed list of error codes. A code decides the HTTP status and whether a client may try again;
 * each protocol adapter renders it in the dialect of its caller. Add a row here, never a status in a handler.
 */
export const errorCodes = {
  "auth.missing_credentials": { status: 401, title: "Credentials are missing", retry: false },
  "auth.invalid_credentials": { status: 401, title: "Credentials are not valid", retry: false },
  "auth.forbidden": { status: 403, title: "Not permitted", retry: false },
  "auth.forbidden_host": { status: 403, title: "Host or origin not permitted", retry: false },
  "route.not_found": { status: 404, title: "No such route", retry: false },
  "route.not_served": { status: 501, title: "Not served by this gateway", retry: false },
  "route.method_not_allowed": { status: 405, title: "Method not allowed", retry: false },
  "request.invalid": { status: 400, title: "The request is not valid", retry: false },
  "request.malformed_json": { status: 400, title: "The body is not valid JSON", retry: false },
  "request.too_deep": { status: 400, title: "The body is nested too deeply", retry: false },
  "request.too_large": { status: 413, title: "The body is too large", retry: false },
  "request.unsupported_media_type": { status: 415, title: "Unsupported media type", retry: false },
  "request.timeout": { status: 408, title: "The request took too long to arrive", retry: true },
  "request.not_offered": { status: 404, title: "Not offered here", retry: false },
  "limit.exceeded": { status: 429, title: "Too many requests", retry: true },
  "limit.concurrency": { status: 429, title: "Too many requests at the same time", retry: true },
  "guardrail.denied": { status: 422, title: "Refused by a guardrail", retry: false },
  "policy.failed": { status: 500, title: "A policy failed", retry: false },
  "upstream.unreachable": { status: 502, title: "The upstream cannot be reached", retry: true },
  "upstream.reset": { status: 502, title: "The upstream closed the connection", retry: true },
  "upstream.invalid": { status: 502, title: "The upstream's answer is not valid", retry: true },
  "upstream.too_large": { status: 502, title: "The upstream's answer is too large", retry: false },
  "upstream.refused_address": { status: 502, title: "The upstream's address is not permitted", retry: false },
  "upstream.credentials": { status: 502, title: "The upstream refused the gateway", retry: false },
  "upstream.unavailable": { status: 503, title: "The upstream is unavailable", retry: true },
  "upstream.timeout": { status: 504, title: "The upstream did not answer in time", retry: true },
  "client.closed": { status: 499, title: "The client went away", retry: false },
  "server.draining": { status: 503, title: "The gateway is shutting down", retry: true },
  "server.not_ready": { status: 503, title: "The gateway is not ready", retry: true },
  "store.unavailable": { status: 503, title: "The store is unavailable", retry: true },
  "resource.not_found": { status: 404, title: "No such resource", retry: false },
  "resource.conflict": { status: 409, title: "The resource exists already", retry: false },
  "resource.in_use": { status: 409, title: "The resource is in use", retry: false },
  "resource.invalid": { status: 422, title: "The resource is not valid", retry: false },
  "resource.changed": { status: 412, title: "The resource was changed meanwhile", retry: false },
  "resource.precondition_required": { status: 428, title: "If-Match is required", retry: false },
  "publish.refused": { status: 422, title: "The revision cannot be published", retry: false },
  "secret.undecryptable": { status: 500, title: "A secret cannot be decrypted", retry: false },
  "config.invalid": { status: 500, title: "The configuration is not valid", retry: false },
  internal: { status: 500, title: "Internal error", retry: false },
} as const satisfies Record<string, { status: number; title: string; retry: boolean }>;

/** A code of the table above. */
export type ErrorCode = keyof typeof errorCodes;
