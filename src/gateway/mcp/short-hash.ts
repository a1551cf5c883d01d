import { hash } from "node:crypto";

/** 64 bits of SHA-256 in hex: enough to tell apart, too little to find back. */
export function shortHash(text: string): string {
  return hash("sha256", text, "hex").slice(0, 16);
}
