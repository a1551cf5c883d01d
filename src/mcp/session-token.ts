import type { KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Turns upstream session ids into the ones that clients see, and back. */
export interface SessionTokens {
  /** What the client gets as `Mcp-Session-Id`: visible ASCII, unguessable, of use to `owner` only. */
  issue(upstreamId: string, owner: string): string;
  /** The upstream's id; undefined for a token that is altered, of another owner, or none of ours. */
  read(token: string, owner: string): string | undefined;
}

const prefix = "gs1.";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Sessions without a table: the token is the upstream's id under AES-256-GCM with the owner (API and principal) as
 * associated data. Any gateway with the key serves any session, and a stolen id is worthless with another key. It
 * identifies a session and never a caller: the API key is checked on each request all the same.
 */
export function createSessionTokens(key: KeyObject): SessionTokens {
  return {
    issue(upstreamId, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([cipher.update(upstreamId, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return prefix + Buffer.concat([nonce, sealed]).toString("base64url");
    },
    read(token, owner) {
      if (!token.startsWith(prefix) || token.length > 4_096) return undefined;
      const bytes = Buffer.from(token.slice(prefix.length), "base64url");
      if (bytes.length <= nonceBytes + tagBytes) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(owner));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const opened = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        return opened.toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}
