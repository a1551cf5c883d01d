import { createHash } from "node:crypto";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";

const maxHeaderLength = 4_096;

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

/** A scheme whose case is free (RFC 9110, 11.1), spaces, and whatever the configuration takes as an admin token. */
function bearerToken(authorization: string): string | undefined {
  if (authorization.length > maxHeaderLength) return undefined;
  return /^bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
}
