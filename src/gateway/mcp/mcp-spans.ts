import { parseJson } from "../../kernel/parse-json.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { SpanFacts } from "../../pipeline/adapter.ts";
import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { PlacedSpan } from "../edit-strings.ts";
import { editStrings } from "../edit-strings.ts";
import { encodedText } from "../encoded-text.ts";
import { changeFrame } from "../sse-frame.ts";
import { strictMessage } from "../strict-message.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";

/** What clients send is the user's, whoever else has a part in it; what servers send is their tools'. */
export const texts: SpanFacts = {
  authors: { request: ["user"], response: ["tool"] },
  hasTurns: false,
  hasResults: true,
  document: ({ body }) => (body.length === 0 ? undefined : parseJson(body.toString("utf8"))),
};

/** Members whose strings steer the protocol or are opaque: no text that anybody reads. */
const notText: ReadonlySet<string> = new Set([
  "type",
  "mimeType",
  "role",
  "resultType",
  "requestState",
  "nextCursor",
  "cursor",
  "progressToken",
  "protocolVersion",
  "cacheScope",
  "method",
  "taskId",
  "$schema",
  "$ref",
]);

/** Members below which names are the tool's or the user's own, so that `role` may hold any text. */
const ownNames: ReadonlySet<string> = new Set(["arguments", "structuredContent"]);

/** Members of `_meta` that steer the protocol; what else stands there is somebody's text. */
const steeringMeta = /^(io\.modelcontextprotocol\/.*|progressToken|traceparent|tracestate)$/;

/** Every text that the client sends: arguments, prompt arguments, its answers to sampling and elicitation. */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  if (operation.body.length === 0) return [];
  const value: unknown = parseJson(operation.body.toString("utf8"));
  return ["params", "result", "error"].flatMap((name) => spansOf(member(value, name), [name], "user"));
}

/**
 * Puts the edits into the body; every byte outside of the edited strings stays. Headers that repeat an edited text
 * (`Mcp-Name`, `Mcp-Param-…`) will repeat it as edited: what was cut out must not go up beside the body.
 */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  const body = editStrings(operation.body, spans, edits);
  const { message, mirrored } = mcpRequest(operation);
  operation.body = body;
  const value: unknown = parseJson(body.toString("utf8"));
  for (const index of new Set(edits.map(({ span }) => span))) {
    const { text, path } = spans[index] as PlacedSpan; // this adapter's own spans come back to it
    const edited = valueAt(value, path);
    if (typeof edited === "string") mirrored.set(text, edited);
  }
  if (message === undefined || message.type === "response") return;
  const params = member(value, "params");
  if (isObject(params)) {
    // The view follows the bytes: an event or a later policy must not read what is no longer sent.
    (mcpRequest(operation) as { -readonly [Key in keyof McpRequest]: McpRequest[Key] }).message = {
      ...message,
      params,
    };
  }
}

/** Every text of one message from the server: results, errors, progress, log lines, and what it asks of the client. */
export function frameSpans(_operation: Operation, frame: Frame): readonly TextSpan[] {
  const value = strictMessage(frame);
  return ["result", "error", "params"].flatMap((name) => spansOf(member(value, name), [name], "tool"));
}

/** What the server asks or tells by a method of its own is an operation of that kind; an answer is none. */
export function frameOperation(operation: Operation, frame: Frame): Operation | undefined {
  const method = member(frame.message(), "method");
  return typeof method === "string" ? { ...operation, kind: method, name: "" } : undefined;
}

/** The message with its edits made: an event stays an event with the same name and id, JSON stays JSON. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  return changeFrame(frame, (json) => editStrings(json, spans, edits));
}

type Path = readonly (string | number)[];

function spansOf(value: unknown, path: Path, author: TextSpan["author"], isOwn = false): readonly PlacedSpan[] {
  if (typeof value === "string") return stringSpans(value, path, author);
  if (Array.isArray(value)) return value.flatMap((item, index) => spansOf(item, [...path, index], author, isOwn));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    if (!isOwn && isBytes(value, name) && typeof item === "string") return bytesSpans(item, [...path, name], author);
    if (!isOwn && steers(name, item, path)) return [];
    // A form's answer: `content` with the user's own names, beside `action`.
    const isForm = name === "content" && typeof value["action"] === "string" && isObject(item);
    return spansOf(item, [...path, name], author, isOwn || ownNames.has(name) || isForm);
  });
}

/** A `data:` URL of a text is that text, wherever it stands; every other string is its own. */
function stringSpans(value: string, path: Path, author: TextSpan["author"]): readonly PlacedSpan[] {
  if (value === "") return [];
  const found = /^data:[^,]{0,200};base64,/i.test(value) ? bytesSpans(value, path, author) : [];
  return found.length > 0 ? found : [{ place: placeOf(path), text: value, author, path }];
}

function steers(name: string, item: unknown, path: Path): boolean {
  if (path.at(-1) === "_meta") return steeringMeta.test(name);
  return typeof item === "string" && notText.has(name);
}

function isBytes(owner: Readonly<Record<string, unknown>>, name: string): boolean {
  return name === "blob" || (name === "data" && (owner["type"] === "image" || owner["type"] === "audio"));
}

/** Of a blob that is a text, whatever its type is said to be, the text. */
function bytesSpans(letters: string, path: Path, author: TextSpan["author"]): readonly PlacedSpan[] {
  const encoded = encodedText(letters);
  return encoded === undefined ? [] : [{ place: placeOf(path), author, path, ...encoded }];
}

function placeOf(path: readonly (string | number)[]): string {
  return path.map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`)).join("");
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (Array.isArray(at) ? at[Number(step)] : member(at, String(step))), value);
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
