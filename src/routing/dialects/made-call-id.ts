import { hash } from "node:crypto";
import { textOf } from "./wire-values.ts";

/**
 * How ids of calls begin for which the provider gave none: made of its id of the answer, so that two answers of one
 * conversation never have the same, and short enough for all providers.
 */
export function madeCallId(answerId: unknown): string {
  return `call_${hash("sha256", textOf(answerId)).slice(0, 20)}`;
}
