import type { ToolRequest } from "../../../src/mcp/openapi/compile-operation.ts";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { isJsonObject } from "../../../src/mcp/openapi/json-object.ts";
import type { OpenApiTool } from "../../../src/mcp/openapi/openapi-tool.ts";

/** What a server reads for one argument: texts, or JSON where the body is JSON. */
type Read = unknown;

/**
 * The arguments as a server reads them out of a request, with the readers of the platform (URL, URLSearchParams, JSON,
 * FormData) and none of ours. `asRead` gives what it must read for the arguments that were given.
 */
export async function sentArguments(
  tool: OpenApiTool,
  request: ToolRequest,
  base: string,
): Promise<Record<string, Read>> {
  const url = new URL(request.url);
  if (!request.url.startsWith(base)) throw new Error("the request left its server");
  const segments = url.pathname.slice(new URL(base).pathname.replace(/\/$/, "").length).split("/");
  const template = (tool.request.path.split(/[#?]/, 1)[0] ?? "").split("/");
  if (segments.length !== template.length) throw new Error(`the path has other segments: ${url.pathname}`);
  const read: Record<string, Read> = {};
  for (const { from, location, name } of tool.request.parameters) {
    if (!("argument" in from)) continue;
    if (location === "header" && request.headers[name.toLowerCase()] !== undefined) {
      read[from.argument] = [request.headers[name.toLowerCase()]];
    }
    if (location === "path") read[from.argument] = [readSegment(name, template, segments)];
    if (location === "query") addPairs(read, from.argument, name, url.searchParams);
  }
  await addBody(read, tool, request);
  return read;
}

/** What a server must read for an argument, by how it is sent. */
export function asRead(tool: OpenApiTool, args: JsonObject): Record<string, Read> {
  const read: Record<string, Read> = {};
  for (const { from, location, style } of tool.request.parameters) {
    const value = "argument" in from ? args[from.argument] : undefined;
    if (!("argument" in from) || value === undefined || value === null) continue;
    const texts = (Array.isArray(value) ? value : [value]).map(plain);
    const pairs = location === "query" && style.explode ? texts : [texts.join(",")];
    read[from.argument] = style.isJson ? [JSON.stringify(value)] : style.style === "deepObject" ? value : pairs;
  }
  const { body } = tool.request;
  if (body?.whole !== undefined && Object.hasOwn(args, body.whole)) {
    read[body.whole] = body.encoding === "binary" ? formTexts(args[body.whole])[0] : args[body.whole];
  }
  for (const { argument } of body?.members ?? []) {
    const value = args[argument];
    if (value === undefined || (body?.encoding !== "json" && value === null)) continue;
    read[argument] = body?.encoding === "json" ? value : formTexts(value);
  }
  return read;
}

function formTexts(value: unknown): readonly unknown[] {
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    if (isJsonObject(item) && typeof item["data"] === "string")
      return Buffer.from(item["data"], "base64").toString("base64");
    if (isJsonObject(item) && typeof item["text"] === "string") return Buffer.from(item["text"]).toString("base64");
    return plain(item);
  });
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function readSegment(name: string, template: readonly string[], segments: readonly string[]): string {
  const at = template.findIndex((segment) => segment.includes(`{${name}}`));
  const [before = "", after = ""] = (template[at] ?? "").split(`{${name}}`).map(asPattern);
  const found = new RegExp(`^${before}(.*?)${after}$`).exec(segments[at] ?? "");
  return decodeURIComponent(found?.[1] ?? "");
}

/** The text around a parameter, in which others may stand. */
function asPattern(text: string): string {
  return text
    .split(/\{[^{}]*\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*?");
}

function addPairs(read: Record<string, Read>, argument: string, name: string, pairs: URLSearchParams): void {
  if (pairs.has(name)) read[argument] = pairs.getAll(name);
  const deep = Array.from(pairs).filter(([key]) => key.startsWith(`${name}[`));
  if (deep.length > 0)
    read[argument] = Object.fromEntries(deep.map(([key, text]) => [key.slice(name.length + 1, -1), text]));
}

async function addBody(read: Record<string, Read>, tool: OpenApiTool, { body, headers }: ToolRequest): Promise<void> {
  const plan = tool.request.body;
  if (plan === undefined || body === undefined) return;
  const text = Buffer.from(body).toString("utf8");
  if (plan.encoding === "json") {
    const value: unknown = JSON.parse(text);
    if (plan.whole !== undefined) read[plan.whole] = value;
    for (const { argument, name } of plan.members) {
      if (isJsonObject(value) && Object.hasOwn(value, name)) read[argument] = value[name];
    }
    return;
  }
  if (plan.encoding === "form") {
    for (const { argument, name } of plan.members) addPairs(read, argument, name, new URLSearchParams(text));
    return;
  }
  if (plan.encoding === "binary" && plan.whole !== undefined) {
    read[plan.whole] = Buffer.from(body).toString("base64");
    return;
  }
  if (plan.encoding !== "multipart") return;
  const form = await new Response(Buffer.from(body), {
    headers: { "content-type": headers["content-type"] ?? "" },
  }).formData();
  for (const { argument, name } of plan.members) {
    const parts = form.getAll(name);
    const texts = parts.map(async (part) =>
      typeof part === "string" ? part : Buffer.from(await part.arrayBuffer()).toString("base64"),
    );
    if (parts.length > 0) read[argument] = await Promise.all(texts);
  }
}
