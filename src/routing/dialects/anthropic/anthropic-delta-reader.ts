import type { ChatDelta, ChatUsage, OpenedPart } from "../chat-answer.ts";
import type { DeltaReader } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { textOf } from "../wire-values.ts";
import { readAnthropicUsage, readStopReason } from "./read-anthropic-answer.ts";
import { readAnthropicError } from "./read-anthropic-error.ts";

/** Reads the events of a streamed message. */
export function anthropicDeltaReader(): DeltaReader {
  const parts = new Map<unknown, number>(); // by the block's index; blocks of Anthropic's own tools have none
  let begun = 0;
  let usage: ChatUsage | undefined;
  let isWhole = false;
  const tellUsage = (more: unknown): readonly ChatDelta[] => {
    if (!isWireObject(more)) return [];
    usage = joined(usage, more);
    return usage === undefined ? [] : [{ type: "usage", usage }];
  };
  return {
    get isDone() {
      return isWhole;
    },
    read({ data }) {
      if (!isWireObject(data)) return [];
      const part = parts.get(data["index"]);
      switch (data["type"]) {
        case "message_start": {
          const message = isWireObject(data["message"]) ? data["message"] : {};
          const start = { type: "start" as const, id: textOf(message["id"]), model: textOf(message["model"]) };
          return [start, ...tellUsage(message["usage"])];
        }
        case "content_block_start": {
          const opened = isWireObject(data["content_block"]) ? openedOf(data["content_block"]) : undefined;
          if (opened === undefined) return [];
          parts.set(data["index"], begun);
          begun += 1;
          return [{ type: "open", candidate: 0, part: begun - 1, of: opened.of }, ...textDelta(begun - 1, opened.text)];
        }
        case "content_block_delta":
          return part === undefined || !isWireObject(data["delta"]) ? [] : readDelta(part, data["delta"]);
        case "content_block_stop":
          return part === undefined ? [] : [{ type: "close", candidate: 0, part }];
        case "message_delta":
          return [...tellUsage(data["usage"]), ...finishOf(data["delta"])];
        case "message_stop":
          isWhole = true;
          return [];
        case "error":
          return [{ type: "error", error: readAnthropicError(undefined, data) }];
        default:
          return []; // `ping`, and events of tomorrow
      }
    },
    end: () => isWhole,
  };
}

interface Opened {
  readonly of: OpenedPart;
  readonly text: string;
}

function openedOf(block: WireObject): Opened | undefined {
  switch (block["type"]) {
    case "text":
      return { of: { type: "text" }, text: textOf(block["text"]) };
    case "thinking":
      return { of: { type: "reasoning" }, text: textOf(block["thinking"]) };
    case "redacted_thinking": {
      const redacted = { of: "anthropic-messages" as const, value: textOf(block["data"]) };
      return { of: { type: "reasoning", redacted }, text: "" };
    }
    case "tool_use":
      return { of: { type: "tool-call", id: textOf(block["id"]), name: textOf(block["name"]) }, text: "" };
    default:
      return undefined;
  }
}

function readDelta(part: number, delta: WireObject): readonly ChatDelta[] {
  switch (delta["type"]) {
    case "text_delta":
      return textDelta(part, textOf(delta["text"]));
    case "thinking_delta":
      return textDelta(part, textOf(delta["thinking"]));
    case "input_json_delta":
      return textDelta(part, textOf(delta["partial_json"]));
    case "signature_delta": {
      const signature = { of: "anthropic-messages" as const, value: textOf(delta["signature"]) };
      return signature.value === "" ? [] : [{ type: "signature", candidate: 0, part, signature }];
    }
    default:
      return [];
  }
}

function textDelta(part: number, text: string): readonly ChatDelta[] {
  return text === "" ? [] : [{ type: "more", candidate: 0, part, text }];
}

function finishOf(delta: unknown): readonly ChatDelta[] {
  const reason = isWireObject(delta) ? delta["stop_reason"] : undefined;
  if (!isWireObject(delta) || typeof reason !== "string") return [];
  const stoppedBy = delta["stop_sequence"];
  const by = typeof stoppedBy === "string" ? { stoppedBy } : {};
  return [{ type: "finish", candidate: 0, reason: readStopReason(reason), ...by }];
}

/** What is known when more has come: each event tells sums so far, and may leave out what it has told before. */
function joined(known: ChatUsage | undefined, more: WireObject): ChatUsage | undefined {
  const read = readAnthropicUsage(more);
  if (read === undefined || known === undefined) return read ?? known;
  const tellsInput = typeof more["input_tokens"] === "number";
  return { ...known, ...read, ...(tellsInput ? {} : inputOf(known)) };
}

function inputOf(usage: ChatUsage): Partial<ChatUsage> {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteHourTokens } = usage;
  return {
    inputTokens,
    cachedInputTokens,
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(cacheWriteHourTokens === undefined ? {} : { cacheWriteHourTokens }),
  };
}
