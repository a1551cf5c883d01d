import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";

/** SHA-256 of the value's RFC 8785 form, in hex: equal content gives an equal hash, whatever the order of members. */
export function contentHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
