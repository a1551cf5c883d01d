import { parseSseEvent } from "../../kernel/sse.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { PlacedSpan } from "../edit-strings.ts";
import { editStrings } from "../edit-strings.ts";
import { SseFrame, withData } from "../sse-frame.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";

/** Members whose strings steer the protocol or hold binary data: no text that anybody reads. */
const notText: ReadonlySet<string> = new Set([
  "_meta",
  "type",
  "mimeType",
  "role",
  "blob",
  "resultType",
  "requestState",
  "nextCursor",
  "cursor",
  "progressToken",
  "protocolVersion",
  "cacheScope",
]);

/** Every text that the client sends: arguments, prompt arguments, its answers to sampling and elicitation. */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  if (operation.body.length === 0) return [];
  const value: unknown = JSON.parse(operation.body.toString("utf8"));
  return ["params", "result", "error"].flatMap((name) => spansOf(member(value, name), [name], "user"));
}

/** Puts the edits into the body; every byte outside of the edited strings stays. */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  const body = editStrings(operation.body, spans, edits);
  const { message } = mcpRequest(operation);
  operation.body = body;
  if (message === undefined || message.type === "response") return;
  const value: unknown = JSON.parse(body.toString("utf8"));
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
  const value = frame.message();
  return ["result", "error", "params"].flatMap((name) => spansOf(member(value, name), [name], "tool"));
}

/** The message with its edits made: an event stays an event with the same name and id, JSON stays JSON. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  if (frame instanceof SseFrame) {
    const data = Buffer.from(parseSseEvent(frame.bytes).data ?? "");
    return withData(frame.bytes, editStrings(data, spans, edits));
  }
  const bytes = editStrings(frame.bytes, spans, edits);
  const value: unknown = JSON.parse(bytes.toString("utf8"));
  return { bytes, message: () => value };
}

function spansOf(
  value: unknown,
  path: readonly (string | number)[],
  author: TextSpan["author"],
): readonly PlacedSpan[] {
  if (typeof value === "string") return value === "" ? [] : [{ place: placeOf(path), text: value, author, path }];
  if (Array.isArray(value)) return value.flatMap((item, index) => spansOf(item, [...path, index], author));
  if (!isObject(value)) return [];
  const isBinary = value["type"] === "image" || value["type"] === "audio";
  return Object.entries(value).flatMap(([name, item]) =>
    notText.has(name) || (isBinary && name === "data") ? [] : spansOf(item, [...path, name], author),
  );
}

function placeOf(path: readonly (string | number)[]): string {
  return path.map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`)).join("");
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
