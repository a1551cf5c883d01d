import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { adHocFormats } from "../analytics/ad-hoc-reader.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface QueryAnalyticsOptions extends ControlOptions {
  /** `table`, or a format of the answer. */
  readonly format: string;
  /** A file that is not there yet. */
  readonly out?: string;
}

/** Runs one statement of an analyst and prints its rows, or writes them to a file. */
export async function queryAnalytics(statement: string, options: QueryAnalyticsOptions, shell: Shell): Promise<void> {
  const format = ["table", ...adHocFormats].find((each) => each === options.format);
  if (format === undefined) {
    throw new GatewayError("request.invalid", `--format takes table, ${adHocFormats.join(", ")}.`);
  }
  if (format === "parquet" && options.out === undefined) {
    throw new GatewayError("request.invalid", "Parquet is no text: name a file with --out.");
  }
  const query = statement === "-" ? await shell.readInput() : statement;
  await using control = await openControlClient(options, shell);
  const body = { query, format: format === "table" ? "json" : format };
  const bytes = await control.bytes("POST", "/api/v1/analytics/sql", body);
  const shown = format === "table" ? Buffer.from(`${tableOf(bytes).join("\n")}\n`) : bytes;
  if (options.out === undefined) return shell.out(Buffer.from(shown).toString("utf8").trimEnd());
  await writeNewFile(resolve(shell.cwd, options.out), shown);
}

/** Writes a file that nobody but its owner reads. Throws `request.invalid` when there is one already. */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes, { flag: "wx", mode: 0o600 }).catch((cause: unknown) => {
    const isThere = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const message = isThere ? `${path} is there already.` : `${path} cannot be written.`;
    throw new GatewayError("request.invalid", message, { cause });
  });
}

const answerSchema = z.looseObject({
  meta: z.array(z.looseObject({ name: z.string() })),
  data: z.array(z.array(z.unknown())),
});

function tableOf(bytes: Uint8Array): readonly string[] {
  const { meta, data } = answerSchema.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  const rows = data.map((row) => row.map(cellOf));
  return printTable(
    meta.map(({ name }) => name),
    rows,
  );
}

function cellOf(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const tablesSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      name: z.string(),
      summary: z.string(),
      columns: z.array(z.looseObject({ name: z.string(), type: z.string(), meaning: z.string().nullable() })),
    }),
  ),
});

/** Prints the tables that statements may name, with their columns. */
export async function printAnalyticsTables(options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { items } = tablesSchema.parse(await control.call("GET", "/api/v1/analytics/tables"));
  for (const [index, { name, summary, columns }] of items.entries()) {
    if (index > 0) shell.out("");
    shell.out(`${name}: ${summary}`);
    const rows = columns.map((column) => [`  ${column.name}`, column.type, column.meaning ?? ""]);
    for (const line of printTable(["  COLUMN", "TYPE", "MEANING"], rows)) shell.out(line);
  }
}
