import { z } from "zod";
import { errorCodes } from "../kernel/error-codes.ts";
import type { GatewayError } from "../kernel/errors.ts";

/**
 * An error as RFC 9457 problem details. `code` is the stable name of the fault, `errors` names the fields at fault,
 * `requestId` finds the operator's log line. Says nothing that only the operator may know.
 */
export function problemResponse(error: GatewayError, requestId: string): Response {
  const { status, title } = errorCodes[error.code];
  const body = {
    type: `/api/v1/problems#${error.code}`,
    title,
    status,
    detail: error.message,
    instance: `urn:uuid:${requestId}`,
    code: error.code,
    ...(error.issues.length > 0
      ? { errors: error.issues.map(({ path, message }) => ({ path, detail: message })) }
      : {}),
    requestId,
  };
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (status === 401) headers.set("www-authenticate", challenge(error));
  if (error.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1_000)));
  return new Response(JSON.stringify(body), { status, headers });
}

/** The problem details that every error is. */
export const problemSchema = z.strictObject({
  type: z.string().meta({ description: "A reference to the list of codes." }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), detail: z.string() })).optional(),
  requestId: z.string(),
});

/** RFC 6750, 3.1: the error is named only when credentials were sent. */
function challenge(error: GatewayError): string {
  const realm = 'Bearer realm="gatehouse control"';
  return error.code === "auth.missing_credentials" ? realm : `${realm}, error="invalid_token"`;
}
