import type { KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { deriveKey } from "../kernel/crypto.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { McpCall } from "./backend.ts";

/** What a `requestState` of the gateway's own stands for. */
export interface RequestState {
  /** Names the call that waits; good for one use. */
  readonly ticket: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * Seals what a client carries between two rounds of a request (2026-07-28, basic/patterns/mrtr). A state opens for the
 * same owner and the same request only: method and params are bound to it, the client's input and `_meta` left out.
 */
export interface RequestStates {
  seal(state: RequestState, owner: string, request: McpCall): string;
  /** Undefined for a state that is altered, another's, of another request, or none of ours. Says nothing of time. */
  open(text: string, owner: string, request: McpCall): RequestState | undefined;
  /** Whether it looks like one of ours. */
  isOurs(text: unknown): boolean;
}

/** What states are for: those of one use mean nothing to another. */
export interface StateUse {
  readonly prefix: string;
  readonly label: `gatehouse/${string}`;
}

/** States of calls that wait in the gateway. */
export const parkedCalls: StateUse = { prefix: "gr1.", label: "gatehouse/mcp-request-state" };
/** States of calls that wait for a person. */
export const heldCalls: StateUse = { prefix: "gh1.", label: "gatehouse/mcp-hold-state" };

const nonceBytes = 12;
const tagBytes = 16;
const maxLength = 1_024;

/** AES-256-GCM under a key of its own, derived from the one that seals sessions. */
export function createRequestStates(sessionKey: KeyObject, use: StateUse = parkedCalls): RequestStates {
  const { prefix } = use;
  const key = deriveKey(sessionKey, use.label);
  return {
    isOurs: (text) => typeof text === "string" && text.startsWith(prefix),
    seal({ ticket, expiresAtMs }, owner, request) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(boundTo(owner, request));
      const sealed = cipher.update(JSON.stringify([ticket, expiresAtMs]), "utf8");
      return prefix + Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]).toString("base64url");
    },
    open(text, owner, request) {
      if (!text.startsWith(prefix) || text.length > maxLength) return undefined;
      const bytes = Buffer.from(text.slice(prefix.length), "base64url");
      if (bytes.length <= nonceBytes + tagBytes || bytes.toString("base64url") !== text.slice(prefix.length)) {
        return undefined;
      }
      try {
        const nonce = bytes.subarray(0, nonceBytes);
        const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(boundTo(owner, request));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const opened = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        const [ticket, expiresAtMs] = parseJson(opened.toString("utf8")) as [string, number]; // sealed above
        return { ticket, expiresAtMs };
      } catch {
        return undefined;
      }
    },
  };
}

function boundTo(owner: string, { method, params }: McpCall): Buffer {
  const { inputResponses: _, requestState: __, _meta: ___, ...asked } = params;
  return createHash("sha256")
    .update(canonicalJson([owner, method, asked]))
    .digest();
}
