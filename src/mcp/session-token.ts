import type { KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { parseJson } from "../kernel/parse-json.ts";

/** A session as its token carries it: the upstream's own id, and what its handshake told. */
export interface SessionFacts {
  readonly id: string;
  readonly clientName: string | undefined;
  readonly clientVersion: string | undefined;
  readonly serverName: string | undefined;
  readonly serverVersion: string | undefined;
  /** The version that the handshake settled on. */
  readonly protocolVersion: string | undefined;
  /** Tells sessions apart also where a server gives all of them one id. */
  readonly mark: string;
  /** When the session began, in milliseconds since the epoch. */
  readonly beganAtMs: number;
  /** What the client said it can, as JSON, of a session that the gateway itself keeps; undefined of an upstream's. */
  readonly capabilities?: string | undefined;
}

/** Turns upstream sessions into the ids that clients see, and back. */
export interface SessionTokens {
  /**
   * What the client gets as `Mcp-Session-Id`: visible ASCII, unguessable, of use to `owner` only. Each text beside the
   * id but the capabilities is cut at 64 characters, and all are left out beside an id of more than 1,500.
   */
  issue(session: SessionFacts, owner: string): string;
  /** Undefined for a token that is altered, of another owner, or none of ours. */
  read(token: string, owner: string): SessionFacts | undefined;
}

const prefix = "gs3.";
const nonceBytes = 12;
const tagBytes = 16;
const maxTokenLength = 8_192;
const maxIdWithFacts = 1_500;
const maxFact = 64;

/**
 * Sessions without a table: the token is the session under AES-256-GCM with the owner (API and principal) as associated
 * data. Any gateway with the key serves any session, and a stolen id is worthless with another key. It identifies a
 * session and never a caller: the API key is checked on each request all the same.
 */
export function createSessionTokens(key: KeyObject): SessionTokens {
  return {
    issue(session, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([cipher.update(write(session), "utf8"), cipher.final(), cipher.getAuthTag()]);
      return prefix + Buffer.concat([nonce, sealed]).toString("base64url");
    },
    read(token, owner) {
      if (!token.startsWith(prefix) || token.length > maxTokenLength) return undefined;
      const bytes = Buffer.from(token.slice(prefix.length), "base64url");
      if (bytes.length <= nonceBytes + tagBytes) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(owner));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const opened = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        return readFacts(opened.toString("utf8"));
      } catch {
        return undefined;
      }
    },
  };
}

// A list rather than an object: the token goes with every request.
function write(session: SessionFacts): string {
  const { id, clientName, clientVersion, serverName, serverVersion, protocolVersion } = session;
  if (id.length > maxIdWithFacts) return JSON.stringify([id, session.mark, session.beganAtMs]);
  const facts = [clientName, clientVersion, serverName, serverVersion, protocolVersion];
  const own = session.capabilities === undefined ? [] : [session.capabilities];
  return JSON.stringify([
    id,
    session.mark,
    session.beganAtMs,
    ...facts.map((fact) => fact?.slice(0, maxFact) ?? null),
    ...own,
  ]);
}

function readFacts(text: string): SessionFacts | undefined {
  const list: unknown = parseJson(text);
  if (!Array.isArray(list)) return undefined;
  const all: readonly unknown[] = list;
  const [id, mark, beganAtMs] = all;
  if (typeof id !== "string" || typeof mark !== "string" || typeof beganAtMs !== "number") return undefined;
  const factAt = (at: number): string | undefined => {
    const fact = all[at];
    return typeof fact === "string" ? fact : undefined;
  };
  return {
    id,
    mark,
    beganAtMs,
    clientName: factAt(3),
    clientVersion: factAt(4),
    serverName: factAt(5),
    serverVersion: factAt(6),
    protocolVersion: factAt(7),
    ...(all.length > 8 && { capabilities: factAt(8) }),
  };
}
