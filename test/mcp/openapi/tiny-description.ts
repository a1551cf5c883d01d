import type { CompiledOperation } from "../../../src/mcp/openapi/compile-operation.ts";
import { compileOperation } from "../../../src/mcp/openapi/compile-operation.ts";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import type { OpenApiDocument } from "../../../src/mcp/openapi/openapi-document.ts";
import type { OpenApiTool } from "../../../src/mcp/openapi/openapi-tool.ts";
import { readOpenApi } from "../../../src/mcp/openapi/read-openapi.ts";
import type { ToolOptions } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { toolsFromOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";

export const base = "https://api.example.test/v1";

/** A description of 3.1, or of another version, with these paths and components. */
export function described(paths: JsonObject, components: JsonObject = {}, version = "3.1.0"): OpenApiDocument {
  return readOpenApi({ openapi: version, info: { title: "T", version: "1" }, paths, components });
}

/** The one tool of a description. Throws with the reason where its operation is refused. */
export function onlyTool(document: OpenApiDocument, options: Partial<ToolOptions> = {}): OpenApiTool {
  const { tools, refused } = toolsFromOpenApi(document, { select: { include: ["*"] }, ...options });
  const [tool] = tools;
  if (tool === undefined) throw new Error(refused[0]?.reason);
  return tool;
}

/** `POST /things` or another operation with these parameters and body, compiled. */
export function operation(
  path: string,
  node: JsonObject,
  { method = "post", version = "3.1.0" }: { readonly method?: string; readonly version?: string } = {},
): CompiledOperation & { readonly tool: OpenApiTool } {
  const tool = onlyTool(described({ [path]: { [method]: { responses: {}, ...node } } }, {}, version));
  return { tool, ...compileOperation(tool, { baseUrl: base }) };
}

/** A body of one media type. */
export function body(mediaType: string, schema: unknown, more: JsonObject = {}): JsonObject {
  return { requestBody: { required: true, content: { [mediaType]: { schema, ...more } } } };
}

/** What is sent for these arguments: the address after the server's, the headers, the body as text. */
export function sent(
  compiled: CompiledOperation,
  args: unknown,
): { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly text: string } {
  const outcome = compiled.toHttpRequest(args);
  if (!("request" in outcome))
    throw new Error(outcome.faults.map(({ path, message }) => `${path} ${message}`).join("; "));
  const { url, headers, body: bytes } = outcome.request;
  return { path: url.slice(base.length), headers, text: Buffer.from(bytes ?? []).toString("utf8") };
}

/** The faults of arguments, each as `path message`; empty where they are taken. */
export function faults(compiled: CompiledOperation, args: unknown): readonly string[] {
  const outcome = compiled.toHttpRequest(args);
  return "faults" in outcome ? outcome.faults.map(({ path, message }) => `${path} ${message}`.trim()) : [];
}
