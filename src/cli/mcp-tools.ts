import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { OpenApiToolsSpec } from "../core/openapi-tools.ts";
import { openApiToolsSchema } from "../core/openapi-tools.ts";
import { parseDocument } from "../core/parse-document.ts";
import type { SafeFetch } from "../kernel/safe-fetch.ts";
import { createSafeFetch } from "../kernel/safe-fetch.ts";
import { fetchDescription } from "../mcp/openapi/fetch-description.ts";
import type { OpenApiDocument } from "../mcp/openapi/openapi-document.ts";
import { readOpenApi } from "../mcp/openapi/read-openapi.ts";
import { toolOptions } from "../mcp/openapi/tool-options.ts";
import { toolsFromOpenApi } from "../mcp/openapi/tools-from-openapi.ts";
import { networkPolicyOf } from "../network-reach.ts";
import type { CommonOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import { plainText } from "./plain-text.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface ToolsCommandOptions extends CommonOptions {
  readonly select?: readonly string[];
  readonly exclude?: readonly string[];
  /** A file with the whole of `select`, `exclude`, `overrides` and so on, in YAML or JSON. */
  readonly settings?: string;
  /** Fetch what `$ref` leads to outside of the description. */
  readonly follow?: boolean;
  readonly json?: boolean;
}

/**
 * Prints the tools that an OpenAPI description would give, and why some of its operations give none. Publishes nothing,
 * and needs no gateway. Other documents are fetched only when asked for, from public or listed addresses.
 */
export async function printTools(source: string, options: ToolsCommandOptions, shell: Shell): Promise<void> {
  const { config } = commandConfig(options, shell);
  await using safeFetch = createSafeFetch({ policy: networkPolicyOf(config) });
  const read = await readSettings(options, shell);
  const document = await readDescription(source, options.follow === true, shell.cwd, safeFetch);
  const { tools, refused, operations } = toolsFromOpenApi(document, toolOptions(read));
  if (options.json === true) {
    shell.out(JSON.stringify({ tools: tools.map((tool) => tool.definition), refused }, undefined, 2));
    return;
  }
  const rows = tools.map(({ definition, request }) => [
    definition.name,
    `${request.method} ${request.path}`,
    (definition.title ?? definition.description).slice(0, 80),
  ]);
  for (const row of printTable(["TOOL", "OPERATION", "ABOUT"], rows)) shell.out(row);
  for (const { operation, reason } of refused) shell.note(plainText(`${operation} is left out: ${reason}`));
  shell.note(`${tools.length} tools of ${operations} operations`);
}

async function readSettings(options: ToolsCommandOptions, shell: Shell): Promise<OpenApiToolsSpec> {
  const file = options.settings;
  const text = file === undefined ? "{}" : await readFile(resolve(shell.cwd, file), "utf8");
  const settings = parseDocument(openApiToolsSchema, parseYaml(text, { maxAliasCount: 0 }) ?? {});
  const select = options.select ?? (settings.select.length > 0 ? settings.select : ["*"]);
  return { ...settings, select: [...select], exclude: [...settings.exclude, ...(options.exclude ?? [])] };
}

async function readDescription(
  source: string,
  follow: boolean,
  cwd: string,
  safeFetch: SafeFetch,
): Promise<OpenApiDocument> {
  if (!/^https?:\/\//i.test(source)) return readOpenApi(await readFile(resolve(cwd, source), "utf8"));
  const { document, others } = await fetchDescription(source, follow, safeFetch);
  return readOpenApi(document, { address: source, others: new Map(Object.entries(others)) });
}
