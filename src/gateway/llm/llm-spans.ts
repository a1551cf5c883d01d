import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { PlacedSpan } from "../edit-strings.ts";
import { editStrings } from "../edit-strings.ts";
import { changeFrame } from "../sse-frame.ts";
import { llmRequest, replaceBody } from "./llm-request.ts";

type Path = readonly (string | number)[];

/** Every text of a chat or embeddings request: all turns, tool results, tool calls and tool descriptions. */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  const { json, kind } = llmRequest(operation);
  if (kind === "embeddings") return inputSpans(json["input"]);
  return [
    ...list(json["messages"]).flatMap((message, index) => messageSpans(message, ["messages", index])),
    ...list(json["tools"]).flatMap((tool, index) => {
      const path = ["tools", index, "function", "description"];
      return textSpan(member(member(tool, "function"), "description"), path, "system");
    }),
    ...textSpan(member(json["prediction"], "content"), ["prediction", "content"], "user"),
  ];
}

/** Puts the edits into the body; every byte outside of the edited strings stays. */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  replaceBody(operation, editStrings(operation.body, spans, edits));
}

/** The texts of a whole answer or of one chunk. A chunk's `place` names its channel by the choice's own index. */
export function frameSpans(_operation: Operation, frame: Frame): readonly TextSpan[] {
  const message = frame.message();
  return list(member(message, "choices")).flatMap((choice, position) => {
    const index = member(choice, "index");
    const place = `choices[${typeof index === "number" ? index : position}]`;
    return ["message", "delta"].flatMap((part) =>
      partSpans(member(choice, part), ["choices", position, part], `${place}.${part}`),
    );
  });
}

/** The frame with its edits made: a chunk stays an event with the same fields, a whole answer stays JSON. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  return changeFrame(frame, (json) => editStrings(json, spans, edits));
}

function messageSpans(message: unknown, path: Path): readonly PlacedSpan[] {
  const author = authorOf(member(message, "role"));
  return partSpans(message, path, placeOf(path), author);
}

function partSpans(
  part: unknown,
  path: Path,
  place: string,
  author: TextSpan["author"] = "assistant",
): readonly PlacedSpan[] {
  const content = member(part, "content");
  const spans = [...textSpan(content, [...path, "content"], author, `${place}.content`)];
  for (const [index, piece] of list(content).entries()) {
    for (const name of ["text", "refusal"]) {
      const at = [...path, "content", index, name];
      spans.push(...textSpan(member(piece, name), at, author, `${place}.content[${index}].${name}`));
    }
  }
  for (const name of ["refusal", "reasoning_content", "reasoning"]) {
    spans.push(...textSpan(member(part, name), [...path, name], author, `${place}.${name}`));
  }
  const call = ["function_call", "arguments"];
  spans.push(
    ...textSpan(
      member(member(part, "function_call"), "arguments"),
      [...path, ...call],
      author,
      `${place}.function_call.arguments`,
    ),
  );
  for (const [position, toolCall] of list(member(part, "tool_calls")).entries()) {
    const index = member(toolCall, "index");
    const at = `${place}.tool_calls[${typeof index === "number" ? index : position}].function.arguments`;
    const text = member(member(toolCall, "function"), "arguments");
    spans.push(...textSpan(text, [...path, "tool_calls", position, "function", "arguments"], author, at));
  }
  return spans;
}

function inputSpans(input: unknown): readonly PlacedSpan[] {
  if (typeof input === "string") return textSpan(input, ["input"], "user");
  return list(input).flatMap((text, index) => textSpan(text, ["input", index], "user"));
}

function textSpan(text: unknown, path: Path, author: TextSpan["author"], place = placeOf(path)): readonly PlacedSpan[] {
  return typeof text === "string" && text !== "" ? [{ place, text, author, path }] : [];
}

function authorOf(role: unknown): TextSpan["author"] {
  switch (role) {
    case "system":
    case "user":
    case "assistant":
    case "tool":
      return role;
    case "developer":
      return "system";
    case "function":
      return "tool";
    default:
      return "unknown";
  }
}

function placeOf(path: Path): string {
  return path.map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`)).join("");
}

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" && name in value
    ? (value as Readonly<Record<string, unknown>>)[name] // `in` has just found it
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
