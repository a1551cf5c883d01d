import { parse } from "csv-parse/sync";
import { GatewayError } from "../../kernel/errors.ts";

/** What every model made of every prompt. */
export interface OutcomeTable {
  readonly prompts: readonly string[];
  readonly models: readonly string[];
  /** By prompt, then by model: how good the answer was, 0 to 1. */
  readonly scores: readonly (readonly number[])[];
  /** By prompt, then by model: what the answer cost, in any one unit. */
  readonly costs: readonly (readonly number[])[];
  /** Prompts that are left out: not every model has an outcome there. */
  readonly incomplete: number;
}

const mostModels = 100;

/**
 * Reads outcomes from CSV with a head line and the columns `prompt`, `model`, `score` (0 to 1) and `cost` (0 or more), a
 * line for each prompt and model. Of several lines for one the last counts. Throws `request.invalid` naming the line.
 */
export function readOutcomes(csv: string | Buffer): OutcomeTable {
  const found = new Map<string, Map<string, readonly [score: number, cost: number]>>();
  const models = new Set<string>();
  for (const [index, row] of rowsOf(csv).entries()) {
    const { prompt, model } = row;
    const [score, cost] = [numberOf(row["score"]), numberOf(row["cost"])];
    const isRight =
      prompt !== undefined && model !== undefined && model !== "" && score <= 1 && cost >= 0 && score >= 0;
    if (!isRight)
      throw refused(`Outcome ${index + 1}: a line has a prompt, a model, a score from 0 to 1 and a cost from 0.`);
    models.add(model);
    if (models.size > mostModels) throw refused(`There are more than ${mostModels} models.`);
    const outcomes = found.get(prompt) ?? new Map<string, readonly [number, number]>();
    found.set(prompt, outcomes.set(model, [score, cost]));
  }
  const names = [...models].toSorted();
  const complete = [...found].filter(([, outcomes]) => outcomes.size === names.length);
  return {
    prompts: complete.map(([prompt]) => prompt),
    models: names,
    scores: complete.map(([, outcomes]) => names.map((name) => outcomes.get(name)?.[0] ?? 0)),
    costs: complete.map(([, outcomes]) => names.map((name) => outcomes.get(name)?.[1] ?? 0)),
    incomplete: found.size - complete.length,
  };
}

function rowsOf(csv: string | Buffer): readonly Readonly<Record<string, string>>[] {
  try {
    return parse(csv, { columns: true, bom: true, skip_empty_lines: true, max_record_size: 4_194_304 });
  } catch (cause) {
    throw refused(`The file is no CSV: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === "" ? Number.NaN : Number(text);
}

function refused(message: string, cause?: unknown): GatewayError {
  return new GatewayError("request.invalid", message, { cause });
}
