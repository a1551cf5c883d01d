import { createHash } from "node:crypto";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { bearerToken } from "./bearer-token.ts";

/**
 * Lets the holder of the admin token pass; everybody else gets a 401. `authorization` is the header's value: the token
 * is taken from nowhere else, as addresses end up in logs and histories. Hashes are compared, in constant time.
 */
export function requireAdminToken(authorization: string | undefined, adminTokenHash: Uint8Array): void {
  if (authorization === undefined) {
    throw new GatewayError("auth.missing_credentials", "Send the admin token as `Authorization: Bearer …`.");
  }
  const token = bearerToken(authorization);
  if (token === undefined) {
    throw new GatewayError("auth.invalid_credentials", "The Authorization header is not of the form `Bearer …`.");
  }
  if (!equalInConstantTime(createHash("sha256").update(token).digest(), adminTokenHash)) {
    throw new GatewayError("auth.invalid_credentials", "The admin token is not the one of this installation.");
  }
}
