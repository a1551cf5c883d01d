import type { KeyBudget } from "../../core/key-budget.ts";
import { toNanos } from "../../core/money.ts";
import type { CredentialRecord } from "../../core/plane-message.ts";
import type { OwnBudget } from "../../pipeline/define-policy.ts";
import { windowWords } from "../../pipeline/limit-config.ts";
import type { WindowSpan } from "../../pipeline/limit-windows.ts";
import { createWindows } from "../../pipeline/limit-windows.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import { createUsageLimit } from "../../pipeline/usage-limit.ts";

/** Gives the budgets of a key, ready to be charged; undefined for a key that has none. */
export type BudgetsOf = (record: CredentialRecord) => readonly OwnBudget[] | undefined;

/**
 * Makes the budgets of keys. They are counted by the key's id, so they hold over a regeneration and over both values
 * while it lasts; calendars are shared by all keys that have the same.
 */
export function createKeyBudgets(tools: Pick<PluginTools, "clock" | "estimates">): BudgetsOf {
  const calendars = new Map<string, (nowMs: number) => WindowSpan>();
  return ({ id, budgets }) => {
    if (budgets.length === 0) return undefined;
    return budgets.map((budget, index) => {
      const calendar = `${windowWords(budget.window)} ${budget.timeZone}`;
      const spanAt = calendars.get(calendar) ?? createWindows(budget.window, budget.timeZone);
      calendars.set(calendar, spanAt);
      const place = `${id}/budgets[${index}]`;
      const policy = createUsageLimit(
        { ...ofKey, ...measured(budget), ...budget, place, spanAt, subject: () => id },
        tools,
      );
      return { use: "key-budget", place, onError: "deny" as const, policy };
    });
  };
}

const ofKey = {
  align: "calendar",
  per: "key",
  reserveOutput: 1_000,
  reservePrompt: "estimate",
  longAnswer: "charge",
  unpriced: "refuse",
} as const;

const names = {
  requests: "requests",
  promptTokens: "prompt tokens",
  completionTokens: "completion tokens",
  totalTokens: "tokens",
} as const;

function measured(budget: KeyBudget): { readonly limit: number; readonly words: string } {
  const window = windowWords(budget.window);
  return budget.measure === "cost"
    ? { limit: toNanos(budget.amount), words: `${budget.amount} ${budget.currency} ${window} for this key` }
    : { limit: budget.amount, words: `${budget.amount} ${names[budget.measure]} ${window} for this key` };
}
