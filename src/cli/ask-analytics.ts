import { resolve } from "node:path";
import { z } from "zod";
import { exportFormats } from "../analytics/analytics-reader.ts";
import { GatewayError } from "../kernel/errors.ts";
import { writeNewFile } from "./analytics-query.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { plainText } from "./plain-text.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface AskAnalyticsOptions extends ControlOptions {
  /** `table`, `json`, or a format of the answer. */
  readonly format: string;
  readonly out?: string;
}

/**
 * Asks one of the questions that the control plane has an answer to, with parameters as `name=value`, and prints its rows
 * or writes them to a file.
 */
export async function askAnalytics(
  question: string,
  parameters: readonly string[],
  options: AskAnalyticsOptions,
  shell: Shell,
): Promise<void> {
  const format = ["table", "json", ...exportFormats].find((each) => each === options.format);
  if (format === undefined) {
    throw new GatewayError("request.invalid", `--format takes table, json, ${exportFormats.join(", ")}.`);
  }
  if (format === "parquet" && options.out === undefined) {
    throw new GatewayError("request.invalid", "Parquet is no text: name a file with --out.");
  }
  if (!/^[a-z-]{1,64}$/.test(question)) {
    throw new GatewayError("request.invalid", "There is no such question; `gatehouse analytics questions` lists them.");
  }
  const query = new URLSearchParams(parameters.map(pairOf));
  query.set("format", format === "table" ? "json" : format);
  await using control = await openControlClient(options, shell);
  const path = `/api/v1/analytics/${question}?${query.toString()}`;
  const shown =
    format === "table"
      ? Buffer.from(`${tableOf(answerSchema.parse(await control.call("GET", path))).join("\n")}\n`)
      : await control.bytes("GET", path);
  if (options.out === undefined) return shell.out(Buffer.from(shown).toString("utf8").trimEnd());
  await writeNewFile(resolve(shell.cwd, options.out), shown);
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new GatewayError("request.invalid", `${text}: parameters are written as name=value.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

const answerSchema = z.looseObject({ items: z.array(z.record(z.string(), z.unknown())) });

function tableOf({ items }: z.output<typeof answerSchema>): readonly string[] {
  const [first] = items;
  if (first === undefined) return ["nothing in this range"];
  const columns = Object.keys(first);
  return printTable(
    columns,
    items.map((item) => columns.map((column) => cellOf(item[column]))),
  );
}

// Names of tools, clients and models are what others say.
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return plainText(typeof value === "string" ? value : JSON.stringify(value));
}

const questionsSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), title: z.string(), columns: z.array(z.string()) })),
});

/** Prints the questions that have an answer, with the columns of their rows. */
export async function printQuestions(options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { items } = questionsSchema.parse(await control.call("GET", "/api/v1/analytics/questions"));
  const rows = items.map(({ id, title, columns }) => [id, title, columns.join(" ")]);
  for (const line of printTable(["QUESTION", "TITLE", "COLUMNS"], rows)) shell.out(line);
}
