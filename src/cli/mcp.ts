import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { plainText } from "./plain-text.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface InspectOptions extends ControlOptions {
  readonly era?: string;
  /** A file that holds the whole header `Authorization`. */
  readonly authorizationFile?: string;
  readonly json?: boolean;
}

/** Prints what an MCP server shows, before anything is published. */
export async function inspectMcp(url: string, options: InspectOptions, shell: Shell): Promise<void> {
  const { era, authorizationFile, json } = options;
  const authorization = authorizationFile && (await readFile(authorizationFile, "utf8")).trim();
  await using control = await openControlClient(options, shell);
  const body = { url, ...(era !== undefined && { era }), ...(authorization && { authorization }) };
  const answer = await control.call("POST", "/api/v1/mcp-servers:inspect", body);
  if (json === true) {
    shell.out(JSON.stringify(answer, undefined, 2));
    return;
  }
  const found = inspectionSchema.parse(answer);
  const { name = "", version = "" } = found.serverInfo;
  const way = found.transport === "streamable-http" ? "" : `, by ${found.transport}`;
  shell.out(plainText(`${name} ${version}, ${found.era}: ${found.versions.join(", ")}${way}`));
  if (found.instructions !== null) shell.out(plainText(`instructions: ${found.instructions}`));
  const rows = sections.flatMap(({ member, one, by }) =>
    found[member].map((entry) => [one, text(entry[by]), text(entry["title"] ?? entry["description"]).slice(0, 100)]),
  );
  for (const line of printTable(["WHAT", "NAME", "ABOUT"], rows)) shell.out(line);
  for (const { list, message } of found.faults) shell.out(plainText(`${list} was not given: ${message}`));
  if (found.isCut) shell.out("There is more than is shown.");
}

const sections = [
  { member: "tools", one: "tool", by: "name" },
  { member: "prompts", one: "prompt", by: "name" },
  { member: "resources", one: "resource", by: "uri" },
  { member: "resourceTemplates", one: "template", by: "uriTemplate" },
] as const;

const entriesSchema = z.array(z.looseObject({}));
const inspectionSchema = z.looseObject({
  transport: z.string(),
  era: z.string(),
  versions: z.array(z.string()),
  serverInfo: z.looseObject({ name: z.string().optional(), version: z.string().optional() }),
  instructions: z.string().nullable(),
  tools: entriesSchema,
  prompts: entriesSchema,
  resources: entriesSchema,
  resourceTemplates: entriesSchema,
  faults: z.array(z.looseObject({ list: z.string(), message: z.string() })),
  isCut: z.boolean(),
});

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
