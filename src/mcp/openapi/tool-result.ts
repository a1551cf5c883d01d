import { parseJson } from "../../kernel/parse-json.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject } from "./json-object.ts";
import type { SchemaFault } from "./schema-check.ts";

/** What a service has answered, read whole or up to a limit. */
export interface ToolAnswer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** The body went on after this. */
  readonly isCut?: boolean;
}

/** One part of a result's content, as MCP has them. */
export type ToolContent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image" | "audio"; readonly data: string; readonly mimeType: string }
  | { readonly type: "resource"; readonly resource: ToolBlob };

interface ToolBlob {
  readonly uri: string;
  readonly mimeType: string;
  readonly blob: string;
}

/** The result of `tools/call`. */
export interface ToolResult {
  readonly content: readonly ToolContent[];
  readonly structuredContent?: JsonObject;
  readonly isError?: true;
}

/** Under this name `_meta` of a result tells how the service has answered: `{ status }`. */
export const httpMeta = "gatehouse/http";

interface ResultContext {
  readonly name: string;
  /** Of the schema that was told of answers; undefined where none was. */
  readonly checkOutput: ((value: unknown) => readonly SchemaFault[]) | undefined;
  readonly limitBytes: number;
}

const errorTextBytes = 16_384;
const depthLimit = 200;

/**
 * The result for an answer. Success with JSON is its text, and structured content where a schema was told; pictures and
 * sounds are what they are, other bytes an embedded resource. Any other status is an error with its text. Where a schema
 * was told and the answer does not fit it, clients would refuse the result: then it is an error that says so, and that
 * the call was made.
 */
export function toolResult(answer: ToolAnswer, context: ResultContext): ToolResult {
  const type = mediaTypeOf(answer);
  if (answer.status < 200 || answer.status > 299) return errorResult(answer, type);
  const wanted = context.checkOutput;
  if (wanted === undefined) return { content: [contentOf(answer, type, context)] };
  const value = jsonOf(answer, type, context.limitBytes);
  if (!isJsonObject(value)) {
    return unfit(answer, type, context, "it is not a JSON object of a size that can be passed on");
  }
  const [fault] = wanted(value);
  if (fault !== undefined) return unfit(answer, type, context, `${fault.path} ${fault.message}`.trim());
  return { content: [contentOf(answer, type, context)], structuredContent: value };
}

function unfit(answer: ToolAnswer, type: string, context: ResultContext, reason: string): ToolResult {
  const text = `The call was made (HTTP ${answer.status}), but the answer does not fit its description: ${reason}.`;
  return { content: [{ type: "text", text }, contentOf(answer, type, context)], isError: true };
}

function errorResult(answer: ToolAnswer, type: string): ToolResult {
  const location = answer.headers["location"];
  const retry = answer.headers["retry-after"];
  const lines = [`HTTP ${answer.status}`];
  if (typeof location === "string") lines.push(`Location: ${location.slice(0, 1_000)} (not followed)`);
  if (typeof retry === "string") lines.push(`Retry-After: ${retry.slice(0, 100)}`);
  if (isText(type) || (type === "" && isReadable(answer.body))) {
    lines.push(textOf(answer, errorTextBytes));
  } else if (answer.body.byteLength > 0)
    lines.push(`(${answer.body.byteLength} bytes of ${type || "an unnamed type"})`);
  return { content: [{ type: "text", text: lines.filter((line) => line !== "").join("\n") }], isError: true };
}

function contentOf(answer: ToolAnswer, type: string, { name, limitBytes }: ResultContext): ToolContent {
  const { body, status } = answer;
  if (body.byteLength === 0) return { type: "text", text: `HTTP ${status}, without content` };
  if (isText(type) || (type === "" && isReadable(body))) return { type: "text", text: textOf(answer, limitBytes) };
  const mimeType = type === "" ? "application/octet-stream" : type;
  if (answer.isCut === true || body.byteLength > limitBytes) {
    const size = `${answer.isCut === true ? "more than " : ""}${body.byteLength}`;
    return { type: "text", text: `HTTP ${status}: ${size} bytes of ${mimeType}, more than can be passed on` };
  }
  const data = Buffer.from(body).toString("base64");
  const kind = /^(image|audio)\//.exec(mimeType)?.[1];
  if (kind === "image" || kind === "audio") return { type: kind, data, mimeType };
  return { type: "resource", resource: { uri: `answer:///${encodeURIComponent(name)}`, mimeType, blob: data } };
}

function jsonOf({ body, isCut }: ToolAnswer, type: string, limitBytes: number): unknown {
  if (isCut === true || body.byteLength > limitBytes || (type !== "" && !/[/+]json$/.test(type))) return undefined;
  try {
    const value: unknown = parseJson(
      Buffer.from(body)
        .toString("utf8")
        .replace(/^\uFEFF/, ""),
    );
    return isDeep(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isDeep(value: unknown, depth = 0): boolean {
  if (value === null || typeof value !== "object") return false;
  return depth > depthLimit || Object.values(value).some((child) => isDeep(child, depth + 1));
}

/** The essence of the media type in small letters; empty where there is none, or no valid one. */
function mediaTypeOf({ headers }: ToolAnswer): string {
  const header = headers["content-type"];
  const [essence = ""] = (typeof header === "string" ? header : "").split(";", 1);
  const type = essence.trim().toLowerCase();
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : "";
}

function isText(type: string): boolean {
  return /^text\/|[/+](json|xml|yaml|x-yaml|javascript|x-www-form-urlencoded|graphql|x-ndjson|jsonl)$/.test(type);
}

function isReadable(body: Uint8Array): boolean {
  return !body.subarray(0, 1_024).includes(0);
}

function textOf(answer: ToolAnswer, limitBytes: number): string {
  const { body } = answer;
  const text = decoder(answer).decode(body.subarray(0, limitBytes)).toWellFormed();
  if (body.byteLength <= limitBytes && answer.isCut !== true) return text;
  return `${text.replace(/\uFFFD$/, "")}\n(cut here, after ${Math.min(body.byteLength, limitBytes)} bytes)`;
}

function decoder({ headers }: ToolAnswer): InstanceType<typeof TextDecoder> {
  const header = headers["content-type"];
  const charset = /;\s*charset="?([\w.:-]+)"?/i.exec(typeof header === "string" ? header : "")?.[1];
  try {
    return new TextDecoder(charset ?? "utf-8");
  } catch {
    return new TextDecoder("utf-8"); // a charset that nobody knows
  }
}
