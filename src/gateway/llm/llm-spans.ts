import type { SpanFacts } from "../../pipeline/adapter.ts";
import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import { editStrings } from "../edit-strings.ts";
import { EditedFrame, editWhole } from "../edited-frame.ts";
import { changeFrame, SseFrame } from "../sse-frame.ts";
import { strictMessage } from "../strict-message.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest, replaceBody } from "./llm-request.ts";
import { stringSpans } from "./string-spans.ts";

/** A conversation; answers are the model's. */
export const texts: SpanFacts = {
  authors: { request: ["system", "user", "assistant", "tool", "unknown"], response: ["assistant"] },
  hasTurns: true,
  hasResults: false,
  document: (operation) => llmRequest(operation).json,
};

/**
 * Every text of a chat or embeddings request: all turns with their tool calls and results, the tools with their
 * schemas, the schema of the answer, a prediction.
 */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  const { json, kind, dialect } = llmRequest(operation);
  if (kind === "pass-through") return []; // `hiddenText` refuses where a guardrail would read it
  if (kind === "embeddings") return stringSpans(json["input"], ["input"], "input", "user");
  if (dialect === "openai-responses") return responsesSpans(json);
  return [
    ...list(json["messages"]).flatMap((message, index) =>
      turnSpans(message, ["messages", index], `messages[${index}]`),
    ),
    ...systemMembers.flatMap((name) => stringSpans(json[name], [name], name, "system")),
    ...stringSpans(member(json["prediction"], "content"), ["prediction", "content"], "prediction.content", "user"),
  ];
}

/** What the client sets up the conversation with, by the names of all dialects. */
const systemMembers = ["system", "tools", "functions", "response_format", "output_config", "output_format"];

/** The texts of a turn. Results of tools, which Anthropic has in the user's turn, are the tool's. */
function turnSpans(turn: unknown, path: Path, place: string): readonly TextSpan[] {
  const author = authorOf(member(turn, "role"));
  const content = list(member(turn, "content"));
  if (!content.some((block) => member(block, "type") === "tool_result")) return stringSpans(turn, path, place, author);
  return content.flatMap((block, index) => {
    const isResult = member(block, "type") === "tool_result";
    return stringSpans(block, [...path, "content", index], `${place}.content[${index}]`, isResult ? "tool" : author);
  });
}

function responsesSpans(json: LlmRequest["json"]): readonly TextSpan[] {
  const { input } = json;
  const items = Array.isArray(input)
    ? list(input).flatMap((item, index) => stringSpans(item, ["input", index], `input[${index}]`, authorOfItem(item)))
    : stringSpans(input, ["input"], "input", "user");
  const setUp = ["instructions", "tools", "text"].flatMap((name) => stringSpans(json[name], [name], name, "system"));
  return [...setUp, ...items, ...stringSpans(json["prompt"], ["prompt"], "prompt", "user")];
}

function authorOfItem(item: unknown): TextSpan["author"] {
  const type = member(item, "type");
  if (type === undefined || type === "message") return authorOf(member(item, "role"));
  return typeof type === "string" && type.endsWith("_output") ? "tool" : "assistant";
}

/** Puts the edits into the body; every byte outside of the edited strings stays. */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  replaceBody(operation, editStrings(operation.body, spans, edits));
}

/** The texts of a whole answer or of one chunk. A chunk's `place` names its channel by the choice's own index. */
export function frameSpans(operation: Operation, frame: Frame): readonly TextSpan[] {
  if (frame instanceof EditedFrame) return frame.spans;
  const message = strictMessage(frame);
  const { dialect } = llmRequest(operation);
  if (dialect === "anthropic-messages") return messageSpans(message);
  if (dialect === "openai-responses") return responseSpans(message);
  return list(member(message, "choices")).flatMap((choice, position) => {
    const index = member(choice, "index");
    const place = `choices[${typeof index === "number" ? index : position}]`;
    return answerParts.flatMap((part) =>
      stringSpans(member(choice, part), ["choices", position, part], `${place}.${part}`, "assistant"),
    );
  });
}

const answerParts = ["message", "delta", "text"];

/** Of a message of Anthropic's, whole or one event of its stream. */
function messageSpans(message: unknown): readonly TextSpan[] {
  const index = member(message, "index");
  const place = `content[${typeof index === "number" ? index : 0}]`;
  return [
    ...stringSpans(member(message, "content"), ["content"], "content", "assistant"),
    ...stringSpans(member(message, "content_block"), ["content_block"], `${place}.start`, "assistant"),
    ...stringSpans(member(message, "delta"), ["delta"], place, "assistant"),
  ];
}

/**
 * Of a response, whole or one event of its stream, which tells each text piece by piece, and whole again where it ends:
 * each telling is a channel of its own.
 */
function responseSpans(message: unknown): readonly TextSpan[] {
  if (member(message, "output") !== undefined)
    return stringSpans(member(message, "output"), ["output"], "output", "assistant");
  const output = member(member(message, "response"), "output");
  const place = `output[${numberOf(message, "output_index")}]`;
  const part = member(message, "content_index") ?? member(message, "summary_index");
  const within = typeof part === "number" ? `${place}[${part}]` : place;
  const kind = String(member(message, "type")).split(".").slice(1).join(".");
  return [
    ...toldMembers.flatMap((name) =>
      stringSpans(member(message, name), [name], `${within}.${kind}.${name}`, "assistant"),
    ),
    ...stringSpans(output, ["response", "output"], "response.output", "assistant"),
  ];
}

const toldMembers = ["delta", "text", "arguments", "refusal", "part", "item"];

function numberOf(value: unknown, name: string): number {
  const found = member(value, name);
  return typeof found === "number" ? found : 0;
}

/** The frame with its edits made: a chunk stays an event with the same fields, a whole answer stays JSON. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  if (!(frame instanceof SseFrame)) return editWhole(frame, spans, edits);
  return changeFrame(frame, (json) => editStrings(json, spans, edits));
}

type Path = readonly (string | number)[];

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

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" && name in value
    ? (value as Readonly<Record<string, unknown>>)[name] // `in` has just found it
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
