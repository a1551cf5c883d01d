import type { KeyObject } from "node:crypto";
import type { SealedValue } from "../../kernel/crypto.ts";
import { seal, unseal } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";

/** Facts that travel through browsers: nobody there can read, make or change them, or use them in another place. */
export interface SealedTexts {
  seal(facts: object, boundTo: string): string;
  /** Undefined for what was not sealed here for that place. */
  open(text: string | undefined, boundTo: string): unknown;
}

const longest = 8_192;

/** AES-256-GCM under a key that is used for nothing else. */
export function createSealedTexts(key: KeyObject): SealedTexts {
  return {
    seal(facts, boundTo) {
      const { nonce, data } = seal(key, "text", JSON.stringify(facts), boundTo);
      return [nonce, data].map((part) => Buffer.from(part, "base64").toString("base64url")).join(".");
    },
    open(text, boundTo) {
      if (text === undefined || text.length > longest) return undefined;
      const [nonce = "", data = ""] = text.split(".").map((part) => Buffer.from(part, "base64url").toString("base64"));
      const value: SealedValue = { v: 1, kid: "text", nonce, data };
      try {
        return parseJson(unseal(key, value, boundTo));
      } catch {
        return undefined;
      }
    },
  };
}
