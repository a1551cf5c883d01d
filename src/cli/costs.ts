import { z } from "zod";
import { costRowSchema } from "../analytics/cost-answers.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface CostOptions extends ControlOptions {
  readonly by: string;
  readonly step: string;
  /** Times of ISO 8601; the last day when absent. */
  readonly from?: string;
  readonly to?: string;
  /** Name or id. */
  readonly api?: string;
  readonly provider?: string;
  readonly environment?: string;
  readonly json?: boolean;
}

/** Prints what was paid, by step of time and group, each currency by itself. */
export async function listCosts(options: CostOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { from, to, api, provider, environment } = options;
  const wanted = { groupBy: options.by, granularity: options.step, from, to, api, provider, environment };
  const query = Object.fromEntries(
    Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const items = await Array.fromAsync(control.list("/api/v1/analytics/costs", query));
  if (options.json === true) return shell.out(JSON.stringify(items, undefined, 2));
  const rows = z.array(costRowSchema).parse(items);
  const heading = ["FROM", options.by.toUpperCase(), "COST", "CURRENCY", "ESTIMATED", "CALLS", "UNPRICED", "IN", "OUT"];
  const cells = rows.map((row) => [
    row.at,
    row.name ?? row.group ?? "-",
    row.cost ?? "-",
    row.currency ?? "-",
    row.estimated ?? "-",
    String(row.tries),
    String(row.unknown),
    String(row.inputTokens),
    String(row.outputTokens),
  ]);
  for (const line of printTable(heading, cells)) shell.out(line);
}
