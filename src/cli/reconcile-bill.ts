import { resolve } from "node:path";
import { z } from "zod";
import type { CostRow } from "../analytics/cost-answers.ts";
import { costRowSchema } from "../analytics/cost-answers.ts";
import { toNanos } from "../core/money.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";
import type { NamedColumns, UsedThere } from "./usage-export.ts";
import { readUsageExport } from "./usage-export.ts";

export interface ReconcileOptions extends ControlOptions {
  /** The name of an LlmProvider here. */
  readonly provider: string;
  /** The provider's usage export, CSV. */
  readonly file: string;
  /** `day=…`, `model=…`, `input=…`, `output=…`, `cost=…`; several columns with `+`. */
  readonly column?: readonly string[];
  /** What money is compared in. */
  readonly currency: string;
  /** Percent that tokens and money may differ by. */
  readonly tolerance: string;
  readonly json?: boolean;
}

/** One day and model, ours beside theirs. */
interface Line {
  readonly day: string;
  readonly model: string;
  readonly ours: { readonly inputTokens: bigint; readonly outputTokens: bigint; readonly cost: string | null };
  readonly theirs: { readonly inputTokens: bigint; readonly outputTokens: bigint; readonly cost: string | null };
  /** Ours without theirs; null where one of the two is not known. */
  readonly difference: { readonly tokens: bigint; readonly cost: string | null };
  readonly flags: readonly ("only-here" | "only-there" | "tokens" | "cost" | "estimated" | "unpriced")[];
}

/**
 * Compares what was recorded of a provider with that provider's own export, by day (UTC) and model, and prints where they
 * differ. Dated versions of a model count as the model. Fails when a line differs by more than the tolerance.
 */
export async function reconcileBill(options: ReconcileOptions, shell: Shell): Promise<void> {
  const tolerance = /^\d{1,3}(\.\d{1,3})?$/.test(options.tolerance) ? Number(options.tolerance) : Number.NaN;
  if (Number.isNaN(tolerance)) throw new GatewayError("request.invalid", "--tolerance takes a number of percent.");
  const theirs = byModel(await readUsageExport(resolve(shell.cwd, options.file), columnsGiven(options.column)));
  const days = [...theirs.keys()].map((key) => key.slice(0, 10)).toSorted();
  const [first, last] = [days.at(0), days.at(-1)];
  if (first === undefined || last === undefined)
    throw new GatewayError("request.invalid", "The usage export holds no use of any model.");
  const ours = await recorded(options, { from: first, to: dayAfter(last) }, shell);
  const keys = [...new Set([...theirs.keys(), ...ours.keys()])].toSorted();
  const lines = keys.map((key) => compared(key, ours.get(key), theirs.get(key), tolerance));
  print(lines, options, shell);
  const wrong = lines.filter(({ flags }) => flags.some((flag) => flag !== "estimated"));
  if (wrong.length === 0) return;
  const message = `${wrong.length} of ${lines.length} lines do not agree within ${options.tolerance} %.`;
  throw new GatewayError("resource.conflict", message);
}

interface UsedHere {
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly atto: bigint;
  readonly isEstimated: boolean;
  readonly isPriced: boolean;
}

async function recorded(
  options: ReconcileOptions,
  range: Readonly<Record<"from" | "to", string>>,
  shell: Shell,
): Promise<ReadonlyMap<string, UsedHere>> {
  await using control = await openControlClient(options, shell);
  const { provider, currency } = options;
  const query = { groupBy: "model", granularity: "day", provider, from: midnight(range.from), to: midnight(range.to) };
  const found = new Map<string, UsedHere>();
  for await (const item of control.list("/api/v1/analytics/costs", query)) {
    const row = costRowSchema.parse(item);
    const key = `${row.at.slice(0, 10)} ${undated(row.group ?? "")}`;
    found.set(key, joined(found.get(key), row, currency));
  }
  return found;
}

function joined(known: UsedHere | undefined, row: CostRow, currency: string): UsedHere {
  const isOfCurrency = row.currency === currency;
  return {
    inputTokens: (known?.inputTokens ?? 0n) + BigInt(row.inputTokens),
    outputTokens: (known?.outputTokens ?? 0n) + BigInt(row.outputTokens),
    atto: (known?.atto ?? 0n) + (isOfCurrency && row.cost !== null ? attoOf(row.cost) : 0n),
    isEstimated: (known?.isEstimated ?? false) || (row.estimated !== null && Number(row.estimated) > 0),
    isPriced: (known?.isPriced ?? true) && isOfCurrency && row.unknown === 0,
  };
}

function byModel(found: ReadonlyMap<string, UsedThere>): ReadonlyMap<string, UsedThere> {
  const models = new Map<string, UsedThere>();
  for (const [key, used] of found) {
    const own = `${key.slice(0, 11)}${undated(key.slice(11))}`;
    const { inputTokens = 0n, outputTokens = 0n, atto } = models.get(own) ?? {};
    models.set(own, {
      inputTokens: inputTokens + used.inputTokens,
      outputTokens: outputTokens + used.outputTokens,
      atto: used.atto === undefined ? undefined : (atto ?? 0n) + used.atto,
    });
  }
  return models;
}

/** A model's name without the date of its version: `gpt-4o-2024-08-06`, `claude-sonnet-4-20250514`. */
function undated(model: string): string {
  return model.replace(/[-@](\d{4}-\d{2}-\d{2}|\d{8})$/, "");
}

function compared(key: string, ours: UsedHere | undefined, theirs: UsedThere | undefined, tolerance: number): Line {
  const here = { inputTokens: ours?.inputTokens ?? 0n, outputTokens: ours?.outputTokens ?? 0n };
  const there = { inputTokens: theirs?.inputTokens ?? 0n, outputTokens: theirs?.outputTokens ?? 0n };
  const isPriced = ours?.isPriced ?? true;
  const [paid, billed] = [isPriced ? (ours?.atto ?? 0n) : undefined, theirs === undefined ? 0n : theirs.atto];
  const isMoneyKnown = paid !== undefined && billed !== undefined;
  const differs = (left: bigint, right: bigint): boolean => isBeyond(left, right, tolerance);
  const flags: Line["flags"] = [
    ...(theirs === undefined ? (["only-here"] as const) : []),
    ...(ours === undefined ? (["only-there"] as const) : []),
    ...(differs(here.inputTokens, there.inputTokens) || differs(here.outputTokens, there.outputTokens)
      ? (["tokens"] as const)
      : []),
    ...(isMoneyKnown && differs(paid, billed) ? (["cost"] as const) : []),
    ...(ours?.isEstimated === true ? (["estimated"] as const) : []),
    ...(isPriced ? [] : (["unpriced"] as const)),
  ];
  return {
    day: key.slice(0, 10),
    model: key.slice(11),
    ours: { ...here, cost: paid === undefined ? null : money(paid) },
    theirs: { ...there, cost: billed === undefined ? null : money(billed) },
    difference: {
      tokens: here.inputTokens + here.outputTokens - there.inputTokens - there.outputTokens,
      cost: isMoneyKnown ? money(paid - billed) : null,
    },
    flags,
  };
}

/** Whether two amounts differ by more than so many percent of the greater one. */
function isBeyond(left: bigint, right: bigint, tolerance: number): boolean {
  const [difference, greater] = [left > right ? left - right : right - left, left > right ? left : right];
  return difference * 100_000n > greater * BigInt(Math.round(tolerance * 1_000));
}

function print(lines: readonly Line[], { json }: ReconcileOptions, shell: Shell): void {
  // A count of tokens is far below what a number of JSON holds exactly.
  const plain = (_name: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
  if (json === true) return shell.out(JSON.stringify(lines, plain, 2));
  const rows = lines.map(({ day, model, ours, theirs, difference, flags }) => [
    day,
    model,
    `${ours.inputTokens}/${ours.outputTokens}`,
    `${theirs.inputTokens}/${theirs.outputTokens}`,
    String(difference.tokens),
    ours.cost ?? "-",
    theirs.cost ?? "-",
    difference.cost ?? "-",
    flags.join(", "),
  ]);
  const heading = ["DAY", "MODEL", "OUR IN/OUT", "THEIR IN/OUT", "TOKENS +/-", "OURS", "THEIRS", "MONEY +/-", "FLAGS"];
  for (const line of printTable(heading, rows)) shell.out(line);
}

function columnsGiven(written: readonly string[] = []): NamedColumns {
  const pairs = written.map((text) => {
    const [, name, columns] = /^(day|model|input|output|cost)=(.+)$/.exec(text) ?? [];
    if (name === undefined || columns === undefined)
      throw new GatewayError(
        "request.invalid",
        `--column takes day=, model=, input=, output= or cost=; not "${text}".`,
      );
    return [name, name === "input" || name === "output" ? columns.split("+") : columns] as const;
  });
  return columnsSchema.parse(Object.fromEntries(pairs));
}

const columnsSchema = z.object({
  day: z.string().optional(),
  model: z.string().optional(),
  input: z.array(z.string()).optional(),
  output: z.array(z.string()).optional(),
  cost: z.string().optional(),
});

const attoPerNano = 1_000_000_000n;

/** Of an amount as the API writes it, which may be beyond what `toNanos` counts. */
function attoOf(cost: string): bigint {
  const [units = "0", decimals = ""] = cost.split(".");
  return (BigInt(units) * 1_000_000_000n + BigInt(toNanos(`0.${decimals === "" ? "0" : decimals}`))) * attoPerNano;
}

/** To a millionth of the currency's unit. */
function money(atto: bigint): string {
  const [sign, amount] = atto < 0n ? ["-", -atto] : ["", atto];
  const millionths = (amount + 5n * 10n ** 11n) / 10n ** 12n;
  return `${sign}${millionths / 1_000_000n}.${String(millionths % 1_000_000n).padStart(6, "0")}`;
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`;
}

function dayAfter(day: string): string {
  return new Date(Date.parse(midnight(day)) + 86_400_000).toISOString().slice(0, 10);
}
