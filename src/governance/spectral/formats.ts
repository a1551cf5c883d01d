import { createRequire } from "node:module";

type Format = ((document: unknown) => boolean) & { displayName?: string };

/** Formats by the names that rulesets use: Spectral's own, `mcp` and `llm`, and one for each kind of resource. */
export function formats(): Readonly<Record<string, unknown>> {
  const known = createRequire(import.meta.url)("@stoplight/spectral-formats") as Readonly<Record<string, unknown>>; // a module of functions
  const named = Object.fromEntries(
    Object.entries(names).flatMap(([name, own]) => (known[own] === undefined ? [] : [[name, known[own]]])),
  );
  const kinds = ["McpServer", "LlmApi", "LlmProvider", "RestApi", "AsyncApi", "Application"];
  return {
    ...known,
    ...named,
    ...Object.fromEntries(kinds.map((kind) => [kind, ofKind(kind, `resource of the kind ${kind}`)])),
    mcp: ofKind("McpServer", "MCP server"),
    llm: ofKind("LlmApi", "LLM API"),
  };
}

/** As people write them, and what the package calls them. */
const names: Readonly<Record<string, string>> = {
  oas2: "oas2",
  oas3: "oas3",
  "oas3.0": "oas3_0",
  "oas3.1": "oas3_1",
  "oas3-0": "oas3_0",
  "oas3-1": "oas3_1",
  arazzo1: "arazzo1",
  "arazzo1.0": "arazzo1_0",
  asyncapi2: "asyncapi2",
  asyncapi3: "aas3",
  aas2: "aas2",
  aas3: "aas3",
  "json-schema": "jsonSchema",
  "json-schema-loose": "jsonSchemaLoose",
  "json-schema-draft4": "jsonSchemaDraft4",
  "json-schema-draft6": "jsonSchemaDraft6",
  "json-schema-draft7": "jsonSchemaDraft7",
  "json-schema-draft-2019-09": "jsonSchemaDraft2019_09",
  "json-schema-2019-09": "jsonSchemaDraft2019_09",
  "json-schema-draft-2020-12": "jsonSchemaDraft2020_12",
  "json-schema-2020-12": "jsonSchemaDraft2020_12",
};

function ofKind(kind: string, displayName: string): Format {
  const format: Format = (document) => isResource(document) && document.kind === kind;
  format.displayName = displayName;
  return format;
}

/** Whether a document is a resource of ours, and no API's description. */
export function isResource(document: unknown): document is { readonly apiVersion: string; readonly kind?: unknown } {
  if (typeof document !== "object" || document === null || !("apiVersion" in document)) return false;
  return typeof document.apiVersion === "string" && document.apiVersion.startsWith("gatehouse/");
}
