import { invalid } from "../../core/parse-document.ts";
import { encodeBody } from "./encode-body.ts";
import { headerText, queryPairs } from "./encode-parameter.ts";
import { compilePath } from "./encode-path.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject } from "./json-object.ts";
import type { OpenApiTool, RequestPlan } from "./openapi-tool.ts";
import type { ParameterInput } from "./parameter-inputs.ts";
import type { SchemaFault } from "./schema-check.ts";
import { schemaChecker } from "./schema-checker.ts";
import type { ToolAnswer, ToolResult } from "./tool-result.ts";
import { toolResult } from "./tool-result.ts";

/** The request that a call of a tool stands for. */
export interface ToolRequest {
  readonly method: string;
  /** Absolute; its origin and the beginning of its path are those of the server, whatever the arguments. */
  readonly url: string;
  /** Names in small letters. No credentials: those are for whoever sends it to add. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** One operation, ready to be called. */
export interface CompiledOperation {
  /**
   * The request for these arguments, or what is wrong with them, each with its path: a missing or unknown argument, one
   * that does not fit its schema, one that a URL or header cannot carry.
   */
  toHttpRequest(args: unknown): { readonly request: ToolRequest } | { readonly faults: readonly SchemaFault[] };
  /** What the tool's caller gets for the service's answer. Never throws: an answer that is no success is a result too. */
  toToolResult(answer: ToolAnswer): ToolResult;
}

export interface CompileOptions {
  /** Where the service is: http(s), without user, query or fragment. The description's own server when absent. */
  readonly baseUrl?: string;
  /** Bytes of an answer that are passed on as text, or encoded; 1 MiB when absent. */
  readonly limitBytes?: number;
  /** Steps that checking one value may take; half a million when absent. */
  readonly schemaSteps?: number;
}

const urlLimit = 16_384;
const defaultLimitBytes = 1_048_576;

/** Compiles a tool. Throws `resource.invalid` where there is no server to send its requests to. */
export function compileOperation(tool: OpenApiTool, options: CompileOptions = {}): CompiledOperation {
  const { request: plan, definition } = tool;
  const base = baseOf(options.baseUrl ?? plan.server);
  const checkInput = schemaChecker(definition.inputSchema, options.schemaSteps);
  const checkOutput =
    definition.outputSchema === undefined ? undefined : schemaChecker(definition.outputSchema, options.schemaSteps);
  const path = compilePath(plan.path, plan.parameters);
  const limitBytes = options.limitBytes ?? defaultLimitBytes;
  const fixedHeaders = { accept: acceptOf(plan) };
  return {
    toHttpRequest(input) {
      const args = input === undefined ? {} : input;
      const faults = [...checkInput(args)];
      if (faults.length > 0 || !isJsonObject(args)) return { faults };
      const query = [...path.query, ...plan.parameters.flatMap((one) => queryOf(one, plan, args, faults))];
      const headers: Record<string, string> = { ...fixedHeaders, ...headersOf(plan, args, faults) };
      const url = `${base}${path.fill(args, faults)}${query.length > 0 ? `?${query.join("&")}` : ""}`;
      if (url.length > urlLimit)
        faults.push({ path: "", message: `makes an address longer than ${urlLimit} characters` });
      const body = plan.body === undefined ? undefined : encodeBody(plan.body, args, faults);
      if (faults.length > 0) return { faults };
      if (body !== undefined) headers["content-type"] = body.mediaType;
      return { request: { method: plan.method, url, headers, body: body?.bytes } };
    },
    toToolResult: (answer) => toolResult(answer, { name: definition.name, checkOutput, limitBytes }),
  };
}

/** The value of a parameter and where a fault in it lies; undefined where nothing was given. */
export function valueOf(
  { from, name }: ParameterInput,
  args: JsonObject,
): { readonly value: unknown; readonly path: string } | undefined {
  if ("fixed" in from) return { value: from.fixed, path: name };
  return Object.hasOwn(args, from.argument) ? { value: args[from.argument], path: from.argument } : undefined;
}

function baseOf(address: string | undefined): string {
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password === "";
  if (!isPlain || url.search !== "" || url.hash !== "") {
    throw invalid([{ path: "", message: "there is no http(s) address, without user, query or fragment, to call" }]);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function acceptOf(plan: RequestPlan): string {
  const json = plan.accept.filter((type) => /json/.test(type));
  const types = json.length > 0 ? json : plan.accept;
  return types.length === 0 ? "application/json, */*;q=0.5" : [...types.slice(0, 5), "*/*;q=0.1"].join(", ");
}

function queryOf(input: ParameterInput, plan: RequestPlan, args: JsonObject, faults: SchemaFault[]): readonly string[] {
  const given = input.location === "query" ? valueOf(input, args) : undefined;
  if (given === undefined) return [];
  const { value, path } = given;
  refuseHalfCharacters(value, path, faults);
  const { style } = input;
  if (style.style === "form" && style.explode && !style.isJson && isJsonObject(value)) {
    // The members become parameters of their own: none of them may pass for another one.
    const others = plan.parameters.filter((other) => other !== input && other.location === "query");
    const taken = others.map((other) => other.name).filter((name) => Object.hasOwn(value, name));
    for (const name of taken) faults.push({ path: `${path}.${name}`, message: "is another parameter's name" });
  }
  return queryPairs(input.name, value, style);
}

function headersOf(plan: RequestPlan, args: JsonObject, faults: SchemaFault[]): Readonly<Record<string, string>> {
  const headers: [string, string][] = [];
  for (const input of plan.parameters.filter((one) => one.location === "header")) {
    const given = valueOf(input, args);
    if (given === undefined || given.value === null) continue;
    const text = headerText(given.value, input.style);
    if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$|^$/.test(text)) {
      const message =
        "holds what a header cannot carry: line breaks, control or non-ASCII characters, or spaces at its ends";
      faults.push({ path: given.path, message });
    } else headers.push([input.name.toLowerCase(), text]);
  }
  return Object.fromEntries(headers);
}

function refuseHalfCharacters(value: unknown, path: string, faults: SchemaFault[]): void {
  if (isWellFormed(value)) return;
  faults.push({ path, message: "holds half of a surrogate pair" });
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  return value === null || typeof value !== "object" || Object.entries(value).flat().every(isWellFormed);
}
