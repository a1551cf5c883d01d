import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stringify } from "yaml";
import type { CompiledEmbedder } from "../embedding/define-embedder.ts";
import { GatewayError } from "../kernel/errors.ts";
import { crossValidate } from "../routing/cost-quality/cross-validate.ts";
import { judgeChoices, judgePair } from "../routing/cost-quality/judge-router.ts";
import type { OutcomeTable } from "../routing/cost-quality/outcome-table.ts";
import { readOutcomes } from "../routing/cost-quality/outcome-table.ts";
import { slackFor } from "../routing/cost-quality/quality-map.ts";
import { trainQualityMap } from "../routing/cost-quality/train-quality-map.ts";
import { commandConfig } from "./common-options.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";
import type { EmbeddingOptions } from "./with-embedder.ts";
import { withEmbedder } from "./with-embedder.ts";

export interface TrainOptions extends EmbeddingOptions {
  /** Where the strategy's configuration is written. */
  readonly out?: string;
}

export interface EvalOptions extends EmbeddingOptions {
  readonly folds: string;
}

const qualities = [0.9, 0.95, 1, 1.02];

/**
 * Learns from a CSV of outcomes which model is good enough for what, prints what each quality is expected to cost, and
 * writes the strategy as YAML, ready to stand under `strategy` of an API's upstream.
 */
export async function trainRouter(file: string, options: TrainOptions, shell: Shell): Promise<void> {
  const { config } = commandConfig(options, shell);
  const table = await outcomesOf(file, shell);
  await withEmbedder(config, options, shell, async (embedder) => {
    const router = trainQualityMap(table, await vectorsOf(table, embedder), embedder.modelId);
    shell.out(`${router.prompts} prompts, ${router.models.length} models, ${router.kinds.length} kinds`);
    const rows = qualities.map((quality) => {
      const slack = slackFor(router, quality);
      const point = router.curve.find((each) => each.slack === slack);
      return [
        quality.toFixed(2),
        point === undefined ? "" : `${point.quality.toFixed(3)} ± ${point.error.toFixed(3)}`,
        point === undefined ? "" : point.cost.toPrecision(4),
      ];
    });
    for (const line of printTable(["QUALITY WANTED", "EXPECTED", "COST A PROMPT"], rows)) shell.out(line);
    if (options.out === undefined) return;
    const text = stringify({ use: "cost-quality", with: { quality: 1, router } }, { lineWidth: 0 });
    await writeFile(resolve(shell.cwd, options.out), text);
    shell.note(`written to ${options.out}; it stands under \`strategy\` of an LLM API's upstream`);
  });
}

/**
 * Judges such a router on a CSV of outcomes by cross-validation: score, cost and regret to the oracle at several qualities
 * beside the best single model, and of two models the gap that is recovered, PGR and CPT.
 */
export async function evalRouter(file: string, options: EvalOptions, shell: Shell): Promise<void> {
  const folds = Number(options.folds);
  if (!Number.isInteger(folds) || folds < 2 || folds > 20) {
    throw new GatewayError("request.invalid", "--folds takes a whole number from 2 to 20.");
  }
  const { config } = commandConfig(options, shell);
  const table = await outcomesOf(file, shell);
  await withEmbedder(config, options, shell, async (embedder) => {
    const { modelId } = embedder;
    const held = crossValidate(table, await vectorsOf(table, embedder), { modelId, folds });
    const reports = qualities.map((quality) => {
      const outcomes = held.map(({ scores, costs, choose }) => ({ scores, costs, chosen: choose(quality) }));
      return { quality, ...judgeChoices(outcomes, table.models) };
    });
    const rows = reports.map(({ quality, score, cost, regret }) => [
      `router at ${quality.toFixed(2)}`,
      score.toFixed(4),
      cost.toPrecision(4),
      regret.toFixed(4),
    ]);
    const [{ bestSingle, oracle } = judgeChoices([], [])] = reports;
    rows.push([`always ${bestSingle.model}`, bestSingle.score.toFixed(4), bestSingle.cost.toPrecision(4), ""]);
    rows.push(["oracle", oracle.score.toFixed(4), oracle.cost.toPrecision(4), "0.0000"]);
    shell.out(`${held.length} prompts, ${table.models.length} models, ${folds} folds`);
    for (const line of printTable(["", "SCORE", "COST A PROMPT", "REGRET"], rows)) shell.out(line);
    if (table.models.length !== 2) return;
    const strong = bestSingle.model === table.models[0] ? 0 : 1;
    const pair = held.map(({ scores, expected }) => ({
      weak: scores[1 - strong] ?? 0,
      strong: scores[strong] ?? 0,
      expectedGain: (expected[strong] ?? 0) - (expected[1 - strong] ?? 0),
    }));
    const { apgr, cpt50, cpt80 } = judgePair(pair);
    shell.out(
      `APGR ${apgr.toFixed(3)}, CPT(50) ${percent(cpt50)}, CPT(80) ${percent(cpt80)}; chance has 0.5, 50 %, 80 %`,
    );
  });
}

async function outcomesOf(file: string, shell: Shell): Promise<OutcomeTable> {
  const csv = await readFile(resolve(shell.cwd, file)).catch((cause: unknown) => {
    throw new GatewayError("request.invalid", `${file} cannot be read.`, { cause });
  });
  const table = readOutcomes(csv);
  if (table.incomplete > 0) {
    shell.note(`${table.incomplete} prompts are left out: they do not have an outcome of every model.`);
  }
  return table;
}

/** Of what the strategy will see of a prompt: its end. */
async function vectorsOf({ prompts }: OutcomeTable, embedder: CompiledEmbedder) {
  return embedder.embed(prompts.map((prompt) => prompt.slice(-4_000)));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
