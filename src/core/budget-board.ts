import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CredentialRecord } from "./plane-message.ts";

/** Whose limits are asked about. */
export type BudgetHolder =
  | { readonly kind: "ApiKey"; readonly record: CredentialRecord }
  | { readonly kind: "Application" | "Team"; readonly id: string };

/** How one limit stands in its present window. */
export interface BudgetStanding {
  readonly measure: "requests" | "promptTokens" | "completionTokens" | "totalTokens" | "cost";
  /** In words: `25.00 USD a month`. */
  readonly title: string;
  /** Units of the measure; money in billionths of its currency's unit. */
  readonly limit: number;
  readonly used: number;
  /** What calls that run now may yet use. */
  readonly reserved: number;
  readonly remaining: number;
  readonly resetsAtMs: number;
  /**
   * What will have been used when the window ends if it goes on as it did since it began; undefined in the first hundredth
   * of a window, and of limits that come back evenly.
   */
  readonly projected: number | undefined;
}

/**
 * How the limits of a holder stand: those that count by it alone, in the order in which they are written. A gateway in
 * another process that counts by itself is not seen.
 */
export interface BudgetBoard {
  look(holder: BudgetHolder): MaybePromise<readonly BudgetStanding[]>;
  /** Forgets what the holder has used of them. Rejects with `limit.unavailable` where the counters are out of reach. */
  clear(holder: BudgetHolder): MaybePromise<void>;
}
