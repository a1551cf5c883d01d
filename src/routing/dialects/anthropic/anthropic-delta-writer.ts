import type { ChatDelta, ChatUsage } from "../chat-answer.ts";
import type { AnswerContext, DeltaWriter, WireEvent } from "../dialect.ts";
import { anthropicEvent, BlockQueue } from "./block-queue.ts";
import { messageId, writeAnthropicUsage, writeStopReason } from "./write-anthropic-answer.ts";

/** Writes the events of a streamed message. Only the first candidate is told. */
export function anthropicDeltaWriter({ exchangeId }: AnswerContext): DeltaWriter {
  const blocks = new BlockQueue();
  let usage: ChatUsage | undefined;
  let finish: Extract<ChatDelta, { type: "finish" }> | undefined;
  let failed = false;
  return {
    write(delta) {
      if ("candidate" in delta && delta.candidate !== 0) return [];
      switch (delta.type) {
        case "start":
          return [startOf(messageId(delta.id, exchangeId), delta.model, usage)];
        case "open":
          return blocks.open(delta.part, delta.of);
        case "more":
          return blocks.more(delta.part, delta.text);
        case "close":
          return blocks.close(delta.part);
        case "signature":
          blocks.sign(delta.part, delta.signature);
          return [];
        case "finish":
          finish = delta;
          return [];
        case "usage":
          usage = delta.usage;
          return [];
        default:
          failed = true;
          return [errorOf(delta)];
      }
    },
    end() {
      if (failed) return []; // a clean ending would say that the answer was whole
      const delta = {
        stop_reason: writeStopReason(finish?.reason ?? "stop"),
        stop_sequence: finish?.stoppedBy ?? null,
      };
      const told = anthropicEvent("message_delta", { delta, usage: writeAnthropicUsage(usage) });
      return [...blocks.closeAll(), told, anthropicEvent("message_stop", {})];
    },
  };
}

function startOf(id: string, model: string, usage: ChatUsage | undefined): WireEvent {
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  return anthropicEvent("message_start", { message: { ...message, usage: writeAnthropicUsage(usage) } });
}

function errorOf({ error }: Extract<ChatDelta, { type: "error" }>): WireEvent {
  const type = error.kind === "overloaded" ? "overloaded_error" : "api_error";
  return anthropicEvent("error", { error: { type, message: error.message } });
}
