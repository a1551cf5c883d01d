import { z } from "zod";
import { budgetSchema } from "../control/budget-routes.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface BudgetOptions extends ControlOptions {
  /** `ApiKey`, `Application` or `Team`. */
  readonly kind: string;
}

export interface ListBudgetOptions extends BudgetOptions {
  readonly json?: boolean;
}

type Budget = z.output<typeof budgetSchema>;

/** Prints how limits stand: those of one holder, or of all. */
export async function listBudgets(name: string | undefined, options: ListBudgetOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = { kind: options.kind, ...(name !== undefined && { name }) };
  const items = await Array.fromAsync(control.list("/api/v1/budgets", query));
  if (options.json === true) return shell.out(JSON.stringify(items, undefined, 2));
  print(z.array(budgetSchema).parse(items), shell);
}

/** Forgets what a holder has used of its limits, and prints how they stood before. */
export async function resetBudgets(name: string, options: BudgetOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const answer = await control.call("POST", "/api/v1/budgets:reset", { kind: options.kind, name });
  const { items } = z.object({ items: z.array(budgetSchema) }).parse(answer);
  print(items, shell);
  shell.note(items.length === 0 ? `${name} has no limits of its own` : "this is how they stood; they begin anew");
}

function print(budgets: readonly Budget[], shell: Shell): void {
  const rows = budgets.map(({ holder, title, used, reserved, remaining, limit, projected, resetsAt }) => [
    holder.name,
    title,
    String(used),
    String(reserved),
    String(remaining),
    share(used, limit),
    projected === undefined ? "-" : share(projected, limit),
    resetsAt,
  ]);
  const heading = ["NAME", "LIMIT", "USED", "RESERVED", "LEFT", "BURNT", "BY THE END", "ENDS AT"];
  for (const line of printTable(heading, rows)) shell.out(line);
}

/** Of a limit of nothing there is no share. */
function share(part: string | number, whole: string | number): string {
  return Number(whole) > 0 ? `${Math.round((Number(part) / Number(whole)) * 100)}%` : "-";
}
