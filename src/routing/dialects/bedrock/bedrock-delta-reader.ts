import type { ChatDelta } from "../chat-answer.ts";
import type { DeltaReader } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { textOf } from "../wire-values.ts";
import { readBedrockStop, readBedrockUsage } from "./read-bedrock-answer.ts";
import { readBedrockError } from "./read-bedrock-error.ts";

/** Reads the messages of ConverseStream; `event` is the `:event-type` or `:exception-type` of each. */
export function bedrockDeltaReader(): DeltaReader {
  const parts = new Map<unknown, number>();
  let begun = 0;
  let isStopped = false;
  const open = (index: unknown, of: Extract<ChatDelta, { type: "open" }>["of"]): ChatDelta => {
    const part = begun;
    parts.set(index, part);
    begun += 1;
    return { type: "open", candidate: 0, part, of };
  };
  /** Texts and thoughts begin with their first piece: Bedrock tells the start of calls only. */
  const said = (index: unknown, type: "text" | "reasoning", text: string): readonly ChatDelta[] => {
    const first = parts.has(index) ? [] : [open(index, { type })];
    const part = parts.get(index) ?? 0;
    return text === "" ? first : [...first, { type: "more", candidate: 0, part, text }];
  };
  const thought = (index: unknown, about: WireObject): readonly ChatDelta[] => {
    const { text, signature, redactedContent } = about;
    if (typeof redactedContent === "string") {
      return [open(index, { type: "reasoning", redacted: { of: "bedrock-converse", value: redactedContent } })];
    }
    if (typeof signature !== "string") return said(index, "reasoning", textOf(text));
    const first = said(index, "reasoning", "");
    const part = parts.get(index) ?? 0;
    return [
      ...first,
      { type: "signature", candidate: 0, part, signature: { of: "bedrock-converse", value: signature } },
    ];
  };
  return {
    isDone: false,
    read({ event, data }) {
      if (!isWireObject(data)) return [];
      const index = data["contentBlockIndex"];
      switch (event) {
        case "messageStart":
          return [{ type: "start", id: "", model: "" }];
        case "contentBlockStart": {
          const call = isWireObject(data["start"]) ? data["start"]["toolUse"] : undefined;
          if (!isWireObject(call)) return [];
          return [open(index, { type: "tool-call", id: textOf(call["toolUseId"]), name: textOf(call["name"]) })];
        }
        case "contentBlockDelta": {
          const delta = isWireObject(data["delta"]) ? data["delta"] : {};
          if (typeof delta["text"] === "string") return said(index, "text", delta["text"]);
          if (isWireObject(delta["reasoningContent"])) return thought(index, delta["reasoningContent"]);
          const call = isWireObject(delta["toolUse"]) ? textOf(delta["toolUse"]["input"]) : "";
          const part = parts.get(index);
          return call === "" || part === undefined ? [] : [{ type: "more", candidate: 0, part, text: call }];
        }
        case "contentBlockStop": {
          const part = parts.get(index);
          return part === undefined ? [] : [{ type: "close", candidate: 0, part }];
        }
        case "messageStop":
          isStopped = true;
          return [{ type: "finish", candidate: 0, reason: readBedrockStop(data["stopReason"]) }];
        case "metadata": {
          const usage = readBedrockUsage(data["usage"], data["serviceTier"]);
          return usage === undefined ? [] : [{ type: "usage", usage }];
        }
        default:
          return event?.endsWith("Exception")
            ? [{ type: "error", error: readBedrockError(undefined, data, event) }]
            : [];
      }
    },
    end: () => isStopped,
  };
}
