import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import type { OutcomeTable } from "../../src/routing/cost-quality/outcome-table.ts";

const nineModels = z.looseObject({
  source: z.string(),
  license: z.string(),
  models: z.array(z.string()),
  pricePerMillion: z.record(z.string(), z.looseObject({ input: z.number(), output: z.number() })),
  rows: z.array(z.strictObject({ q: z.string(), s: z.array(z.number().min(0).max(1)) })),
});

/**
 * Scores of nine models; undefined where the file is not there. It tells no lengths of answers, so each answer is taken to
 * cost its model's price of a token.
 */
export function readNineModels(folder: string): OutcomeTable | undefined {
  const path = join(folder, "routing-nine-models.json");
  if (!existsSync(path)) return undefined;
  const { models, pricePerMillion, rows } = nineModels.parse(JSON.parse(readFileSync(path, "utf8")));
  const costs = models.map((model) => pricePerMillion[model]?.output ?? Number.NaN);
  return {
    prompts: rows.map(({ q }) => q),
    models,
    scores: rows.map(({ s }) => s),
    costs: rows.map(() => costs),
    incomplete: 0,
  };
}

/** Right and wrong answers of a weak and a strong model, in this order; undefined where the file is not there. */
export function readTwoModels(folder: string): OutcomeTable | undefined {
  const path = join(folder, "routing-mmlu-two-models.csv");
  if (!existsSync(path)) return undefined;
  const models = ["mixtral-8x7b", "gpt-4-1106"];
  const rows: Readonly<Record<string, string>>[] = parse(readFileSync(path), { columns: true, bom: true });
  return {
    prompts: rows.map(({ prompt = "" }) => prompt),
    models,
    scores: rows.map((row) => models.map((model) => Number(row[model]))),
    costs: rows.map(() => [0, 1]), // shares of calls to the strong one
    incomplete: 0,
  };
}
