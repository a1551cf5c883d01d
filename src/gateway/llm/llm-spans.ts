import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import { editStrings } from "../edit-strings.ts";
import { changeFrame } from "../sse-frame.ts";
import { strictMessage } from "../strict-message.ts";
import { llmRequest, replaceBody } from "./llm-request.ts";
import { stringSpans } from "./string-spans.ts";

/**
 * Every text of a chat or embeddings request: all turns with their tool calls and results, the tools with their
 * schemas, the schema of the answer, a prediction.
 */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  const { json, kind } = llmRequest(operation);
  if (kind === "embeddings") return stringSpans(json["input"], ["input"], "input", "user");
  return [
    ...list(json["messages"]).flatMap((message, index) =>
      stringSpans(message, ["messages", index], `messages[${index}]`, authorOf(member(message, "role"))),
    ),
    ...systemMembers.flatMap((name) => stringSpans(json[name], [name], name, "system")),
    ...stringSpans(member(json["prediction"], "content"), ["prediction", "content"], "prediction.content", "user"),
  ];
}

const systemMembers = ["tools", "functions", "response_format"];

/** Puts the edits into the body; every byte outside of the edited strings stays. */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  replaceBody(operation, editStrings(operation.body, spans, edits));
}

/** The texts of a whole answer or of one chunk. A chunk's `place` names its channel by the choice's own index. */
export function frameSpans(_operation: Operation, frame: Frame): readonly TextSpan[] {
  const message = strictMessage(frame);
  return list(member(message, "choices")).flatMap((choice, position) => {
    const index = member(choice, "index");
    const place = `choices[${typeof index === "number" ? index : position}]`;
    return answerParts.flatMap((part) =>
      stringSpans(member(choice, part), ["choices", position, part], `${place}.${part}`, "assistant"),
    );
  });
}

const answerParts = ["message", "delta", "text"];

/** The frame with its edits made: a chunk stays an event with the same fields, a whole answer stays JSON. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  return changeFrame(frame, (json) => editStrings(json, spans, edits));
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

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" && name in value
    ? (value as Readonly<Record<string, unknown>>)[name] // `in` has just found it
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
