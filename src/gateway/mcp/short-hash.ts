import { createHash } from "node:crypto";

/** 64 bits of SHA-256 in hex: enough to tell apart, too little to find back. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
