import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface PruneAnalyticsOptions extends ControlOptions {
  readonly before: string;
  readonly yes?: boolean;
}

const answerSchema = z.looseObject({
  months: z.array(z.looseObject({ table: z.string(), month: z.string(), rows: z.number() })),
});

/** Takes whole months of recorded rows away; without `--yes` it only prints what would go. */
export async function pruneAnalytics(options: PruneAnalyticsOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const body = { before: options.before, dryRun: options.yes !== true };
  const { months } = answerSchema.parse(await control.call("POST", "/api/v1/analytics/prune", body));
  if (months.length === 0) return shell.out("no whole month ends before that");
  const rows = months.map(({ table, month, rows: count }) => [month, table, String(count)]);
  for (const line of printTable(["MONTH", "TABLE", "ROWS"], rows)) shell.out(line);
  shell.note(options.yes === true ? "They are gone." : "Nothing is gone yet: --yes takes them away, for good.");
}
