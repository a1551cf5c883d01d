import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import type { LabelledScore } from "../embedding/calibration.ts";
import { fitCalibration, probabilityOf, scoreAt } from "../embedding/calibration.ts";
import { findCalibration, parseCalibrations, printCalibrations } from "../embedding/calibration-list.ts";
import type { CompiledEmbedder } from "../embedding/define-embedder.ts";
import { scoreUses } from "../embedding/score-uses.ts";
import { readUseFile } from "../embedding/use-file.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { dataPaths } from "../store/data-directory.ts";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";
import { commandLog } from "./command-log.ts";
import { commandConfig } from "./common-options.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";
import type { EmbeddingOptions } from "./with-embedder.ts";
import { withEmbedder } from "./with-embedder.ts";

export interface CalibrateOptions extends EmbeddingOptions {
  readonly index: string;
  /** A file of what an index learnt from use, in place of pairs. */
  readonly uses?: string;
  readonly dryRun?: boolean;
}

/**
 * Prints the score of the first text with each other one, whether it passes the embedder's thresholds, and the
 * probability where there is a calibration. A provider's key comes from the standard input or is asked for.
 */
export async function tryEmbeddings(texts: readonly string[], options: EmbeddingOptions, shell: Shell): Promise<void> {
  const { config } = commandConfig(options, shell);
  await withEmbedder(config, options, shell, async (embedder) => {
    const [first, ...others] = await embedder.embed(texts);
    const dimensions = embedder.dimensions === undefined ? "" : `, ${embedder.dimensions} numbers a vector`;
    shell.out(`${embedder.modelId}${dimensions}`);
    if (first === undefined) shell.note("The first text means nothing to this model, so it matches nothing.");
    if (others.length === 0) return;
    const { calibrationsPath } = dataPaths(config.dataDir);
    const known = parseCalibrations(await readPrivateFile(calibrationsPath), calibrationsPath);
    const calibration = findCalibration(known, embedder.modelId, "default");
    const rows = others.map((vector, index) => {
      const text = texts[index + 1] ?? "";
      const score = scoreOf(first, vector);
      if (score === undefined) return ["none", "", "", text];
      const probability = calibration === undefined ? "" : `${(100 * probabilityOf(calibration, score)).toFixed(1)} %`;
      return [score.toFixed(4), probability, passed(embedder, score), text];
    });
    for (const line of printTable(["SCORE", "PROBABILITY", "PASSES", "TEXT"], rows)) shell.out(line);
  });
}

/**
 * Scores the pairs of a file, or what an index has learnt from use, fits score to probability, prints at which scores a match has which probability, and keeps
 * the fit in the data directory under the model's id. Each line of the file is `{"a": text, "b": text, "match": boolean}`.
 */
export async function calibrateEmbeddings(
  file: string | undefined,
  options: CalibrateOptions,
  shell: Shell,
): Promise<void> {
  if (!/^[a-z0-9-]{1,64}$/.test(options.index)) {
    throw new GatewayError("request.invalid", "--index takes lower-case letters, digits and hyphens, at most 64.");
  }
  const { config } = commandConfig(options, shell);
  if ((file === undefined) === (options.uses === undefined)) {
    throw new GatewayError(
      "request.invalid",
      "Give a file of pairs, or --uses and a file of what was learnt from use.",
    );
  }
  await withEmbedder(config, options, shell, async (embedder) => {
    const scored =
      options.uses === undefined
        ? await scorePairs(file ?? "", embedder, shell)
        : await scoreUsesOf(options.uses, embedder, shell);
    const calibration = fitCalibration(scored);
    shell.out(`${embedder.modelId}: ${scored.length} pairs`);
    const rows = [0.5, 0.8, 0.9, 0.95].map((wanted) => [
      `${100 * wanted} %`,
      scoreAt(calibration, wanted)?.toString() ?? "never",
    ]);
    for (const line of printTable(["PROBABILITY", "FROM SCORE"], rows)) shell.out(line);
    if (options.dryRun === true) return;
    const { calibrationsPath } = dataPaths(config.dataDir);
    const known = parseCalibrations(await readPrivateFile(calibrationsPath), calibrationsPath);
    const fittedAt = new Date(shell.clock.now()).toISOString();
    const entry = { modelId: embedder.modelId, index: options.index, pairs: scored.length, fittedAt, calibration };
    await writePrivateFile(calibrationsPath, printCalibrations(known, entry));
    shell.note(`kept in ${calibrationsPath}`);
  });
}

async function scorePairs(file: string, embedder: CompiledEmbedder, shell: Shell): Promise<readonly LabelledScore[]> {
  const pairs = await readPairs(resolve(shell.cwd, file), file);
  const vectors = await embedder.embed(pairs.flatMap(({ a, b }) => [a, b]));
  const scored = pairs.flatMap(({ match }, index): readonly LabelledScore[] => {
    const score = scoreOf(vectors[2 * index], vectors[2 * index + 1]);
    return score === undefined ? [] : [{ score, isMatch: match }];
  });
  const left = pairs.length - scored.length;
  if (left > 0) shell.note(`${left} pairs are left out: a text of theirs means nothing to this model.`);
  return scored;
}

async function scoreUsesOf(file: string, embedder: CompiledEmbedder, shell: Shell): Promise<readonly LabelledScore[]> {
  const path = resolve(shell.cwd, file);
  const records = await readUseFile({ path, log: commandLog(shell) }).catch((cause: unknown) => {
    throw new GatewayError("request.invalid", `${file} cannot be read.`, { cause });
  });
  const others = records.filter(({ modelId }) => modelId !== embedder.modelId).length;
  if (others > 0) shell.note(`${others} uses are left out: they are of another model.`);
  return scoreUses(records, embedder.modelId);
}

const pairSchema = z.strictObject({ a: z.string().max(1_048_576), b: z.string().max(1_048_576), match: z.boolean() });

async function readPairs(path: string, shown: string): Promise<readonly z.output<typeof pairSchema>[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new GatewayError("request.invalid", `${shown} cannot be read.`, { cause });
  });
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [pairSchema.parse(parseJson(line))];
    } catch (cause) {
      const message = `${shown}:${index + 1}: a line is {"a": text, "b": text, "match": true or false}.`;
      throw new GatewayError("request.invalid", message, { cause });
    }
  });
}

function scoreOf(left: Float32Array | undefined, right: Float32Array | undefined): number | undefined {
  if (left === undefined || right === undefined) return undefined;
  let sum = 0;
  for (const [index, number] of left.entries()) sum += number * (right[index] ?? 0);
  return sum;
}

function passed({ thresholds }: CompiledEmbedder, score: number): string {
  const names = Object.entries(thresholds).flatMap(([name, threshold]) => (score >= Number(threshold) ? [name] : []));
  return names.join(", ") || "none";
}
