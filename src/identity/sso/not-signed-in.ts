import { GatewayError } from "../../kernel/errors.ts";

/** The `auth.forbidden` error of a sign-in that did not come about; why is for the operator. */
export function notSignedIn(detail: string, cause?: unknown): GatewayError {
  const text = "Signing in with the key manager did not work. Begin again.";
  return new GatewayError("auth.forbidden", text, { detail: detail.slice(0, 300), cause });
}
