import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { GatewayError } from "../kernel/errors.ts";

/** What an export tells of one model on one day (UTC). */
export interface UsedThere {
  inputTokens: bigint;
  outputTokens: bigint;
  /** Billionths of a billionth of the currency's unit; undefined where the export tells no money. */
  atto: bigint | undefined;
}

/** Which columns of an export tell what. Counts of several columns are added up. */
export interface ExportColumns {
  readonly day: string;
  readonly model: string;
  /** All tokens of prompts, those from caches and written to them included. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly cost?: string | undefined;
}

/** Columns that somebody has named, in place of those of a known export. */
export type NamedColumns = { readonly [Name in keyof ExportColumns]?: ExportColumns[Name] | undefined };

/**
 * The columns of the usage exports of providers, by their names there.
 * @see https://platform.openai.com/docs/api-reference/usage/completions_object
 * @see https://support.claude.com/en/articles/9534590-cost-and-usage-reporting-in-the-claude-console
 */
export const knownExports: Readonly<Record<"openai" | "anthropic", ExportColumns>> = {
  openai: { day: "start_time_iso", model: "model", input: ["input_tokens"], output: ["output_tokens"] },
  anthropic: {
    day: "usage_date_utc",
    model: "model_version",
    input: [
      "usage_input_tokens_no_cache",
      "usage_input_tokens_cache_write_5m",
      "usage_input_tokens_cache_write_1h",
      "usage_input_tokens_cache_read",
    ],
    output: ["usage_output_tokens"],
  },
};

/** Days times models that are kept while a file of any size is read. */
const mostGroups = 100_000;

/**
 * Adds up an export by day and model, under `YYYY-MM-DD model`, as it is read. `columns` are told by the head line where
 * the export is a known one. Throws `request.invalid` with the line for what is no such CSV.
 */
export async function readUsageExport(path: string, given: NamedColumns = {}): Promise<Map<string, UsedThere>> {
  const found = new Map<string, UsedThere>();
  let columns: ExportColumns | undefined;
  for await (const { info, record } of recordsOf(path)) {
    const at = `line ${info.lines}`;
    columns ??= columnsOf(Object.keys(record), given);
    const { day, model } = columns;
    const name = record[model]?.trim() ?? "";
    const used = readCounts(record, columns, at);
    if (name === "" && used.inputTokens + used.outputTokens === 0n && (used.atto ?? 0n) === 0n) continue; // an empty day
    if (name === "") throw refused(`${at}: \`${model}\` is empty`);
    const key = `${dayOf(record[day], `${at}: \`${day}\``)} ${name}`;
    const known = found.get(key);
    if (known === undefined && found.size >= mostGroups)
      throw refused(`${at}: there are more than ${mostGroups} days and models`);
    found.set(key, known === undefined ? used : added(known, used));
  }
  return found;
}

interface CsvRecord {
  readonly info: { readonly lines: number };
  readonly record: Readonly<Record<string, string>>;
}

async function* recordsOf(path: string): AsyncGenerator<CsvRecord> {
  const parser = parse({ columns: true, bom: true, info: true, skip_empty_lines: true, max_record_size: 1_048_576 });
  pipeline(createReadStream(path), parser, () => undefined); // what fails, the loop below throws
  try {
    // With `info` and `columns` each is such a pair, which the library's own type does not tell.
    for await (const each of parser) yield each as CsvRecord;
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The columns that were named, the rest as of a known export. */
function columnsOf(head: readonly string[], given: NamedColumns): ExportColumns {
  const known = Object.values(knownExports).find(({ day, model }) => head.includes(day) && head.includes(model));
  const { day, model, input, output, cost } = { ...known, ...given };
  if (day === undefined || model === undefined || input === undefined || output === undefined)
    throw refused(
      `the head line is of no export that is known; name the columns with --column day=… model=… input=… output=… of: ${head.join(", ")}`,
    );
  const missing = [day, model, ...input, ...output, ...(cost === undefined ? [] : [cost])].find(
    (name) => !head.includes(name),
  );
  if (missing !== undefined) throw refused(`there is no column \`${missing}\`; there are: ${head.join(", ")}`);
  return { day, model, input, output, cost };
}

function readCounts(record: CsvRecord["record"], { input, output, cost }: ExportColumns, at: string): UsedThere {
  const sum = (names: readonly string[]): bigint =>
    names.reduce((total, name) => total + countOf(record[name], `${at}: \`${name}\``), 0n);
  return {
    inputTokens: sum(input),
    outputTokens: sum(output),
    atto: cost === undefined ? undefined : attoOf(record[cost], `${at}: \`${cost}\``),
  };
}

function countOf(text = "", at: string): bigint {
  if (text.trim() === "") return 0n;
  const digits = /^\s*(\d{1,18})(?:\.0+)?\s*$/.exec(text)?.[1];
  if (digits === undefined) throw refused(`${at} is no count of tokens: ${quoted(text)}`);
  return BigInt(digits);
}

function attoOf(text = "", at: string): bigint {
  if (text.trim() === "") return 0n;
  const [, sign = "", units, decimals = ""] = /^\s*\$?(-?)(\d{1,12})(?:\.(\d{1,30}))?\s*$/.exec(text) ?? [];
  if (units === undefined) throw refused(`${at} is no amount of money: ${quoted(text)}`);
  const amount = BigInt(units) * 10n ** 18n + BigInt(decimals.slice(0, 18).padEnd(18, "0"));
  return sign === "-" ? -amount : amount;
}

/** A date, a time of ISO 8601, or seconds since the epoch, as a day of UTC. */
function dayOf(text = "", at: string): string {
  const trimmed = text.trim();
  const date = /^\d{4}-\d{2}-\d{2}/.test(trimmed)
    ? new Date(/^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? `${trimmed}T00:00:00Z` : trimmed)
    : new Date(/^\d{9,11}$/.test(trimmed) ? Number(trimmed) * 1_000 : Number.NaN);
  if (Number.isNaN(date.getTime())) throw refused(`${at} is no date: ${quoted(text)}`);
  return date.toISOString().slice(0, 10);
}

function added(left: UsedThere, right: UsedThere): UsedThere {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    atto: left.atto === undefined || right.atto === undefined ? undefined : left.atto + right.atto,
  };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function refused(message: string, cause?: unknown): GatewayError {
  return new GatewayError("request.invalid", `The usage export cannot be read: ${message}.`, { cause });
}
