import type { ChatDelta, ChatUsage, OpenedPart } from "../chat-answer.ts";
import type { AnswerContext, DeltaWriter, WireEvent } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { withoutAbsent } from "../without-absent.ts";
import { completionId, writeFinish, writeOpenAiUsage, writeThinkingBlock } from "./write-openai-answer.ts";

/**
 * Writes the chunks of a streamed chat completion: the same id, time and model in all of them, the role in a choice's
 * first, a call's id and name in its first, and usage in a chunk of its own where the client asked for it.
 */
export function openAiDeltaWriter({ request, exchangeId, nowMs }: AnswerContext): DeltaWriter {
  let common: WireObject = { id: "", object: "chat.completion.chunk", created: 0, model: "" };
  let usage: ChatUsage | undefined;
  let failed = false;
  const choices = new Map<number, WrittenChoice>();
  const chunk = (more: WireObject): WireEvent => ({
    data: { ...common, ...(request.wantsStreamUsage ? { usage: null } : {}), ...more },
  });
  const choiceChunk = (index: number, delta: WireObject, finish: string | null = null): WireEvent =>
    chunk({ choices: [{ index, delta, logprobs: null, finish_reason: finish }] });
  const choiceOf = (index: number): WrittenChoice => {
    const known = choices.get(index) ?? { hasRole: false, calls: new Map(), parts: new Map() };
    choices.set(index, known);
    return known;
  };
  const tell = (index: number, delta: WireObject): readonly WireEvent[] => {
    const choice = choiceOf(index);
    const role = choice.hasRole ? {} : { role: "assistant" };
    choice.hasRole = true;
    return [choiceChunk(index, { ...role, ...delta })];
  };
  return {
    write(delta) {
      switch (delta.type) {
        case "start":
          common = {
            ...common,
            id: completionId(delta.id, exchangeId),
            created: Math.floor((delta.createdAtMs ?? nowMs) / 1_000),
            model: delta.model,
          };
          return [];
        case "open":
          return open(delta, choiceOf(delta.candidate), tell);
        case "more":
          return more(delta, choiceOf(delta.candidate), tell);
        case "signature":
          return sign(delta, choiceOf(delta.candidate), tell);
        case "close":
          return close(delta, choiceOf(delta.candidate), tell);
        case "finish": {
          const first = choiceOf(delta.candidate).hasRole ? [] : tell(delta.candidate, { content: "" });
          return [...first, choiceChunk(delta.candidate, {}, writeFinish(delta.reason))];
        }
        case "usage":
          usage = delta.usage;
          return [];
        case "error":
          failed = true;
          return [
            {
              data: {
                error: {
                  message: delta.error.message,
                  type: "server_error",
                  param: null,
                  code: delta.error.code ?? null,
                },
              },
            },
          ];
        default:
          return [];
      }
    },
    end() {
      if (failed) return []; // a clean ending would say that the answer was whole
      const last =
        request.wantsStreamUsage && usage !== undefined
          ? [{ data: { ...common, choices: [], usage: writeOpenAiUsage(usage) } }]
          : [];
      return [...last, { data: "[DONE]" }];
    },
  };
}

interface WrittenChoice {
  hasRole: boolean;
  /** OpenAI's numbers of the calls, by part. */
  readonly calls: Map<number, number>;
  readonly parts: Map<number, WrittenPart>;
}

interface WrittenPart {
  readonly of: OpenedPart;
  /** The whole thought, for the block that the client sends back. */
  text: string;
  signature?: Extract<ChatDelta, { type: "signature" }>["signature"];
  hasArguments: boolean;
}

type Tell = (index: number, delta: WireObject) => readonly WireEvent[];

function open(delta: Extract<ChatDelta, { type: "open" }>, choice: WrittenChoice, tell: Tell): readonly WireEvent[] {
  const { of, part, candidate } = delta;
  choice.parts.set(part, { of, text: "", hasArguments: false });
  if (of.type !== "tool-call") return [];
  const index = choice.calls.size;
  choice.calls.set(part, index);
  const call = { index, id: of.id, type: "function", function: { name: of.name, arguments: "" } };
  return tell(candidate, { tool_calls: [call] });
}

function more(delta: Extract<ChatDelta, { type: "more" }>, choice: WrittenChoice, tell: Tell): readonly WireEvent[] {
  const { candidate, part, text } = delta;
  const known = choice.parts.get(part);
  switch (known?.of.type) {
    case "tool-call":
      known.hasArguments = true;
      return tell(candidate, { tool_calls: [{ index: choice.calls.get(part), function: { arguments: text } }] });
    case "reasoning":
      known.text += text;
      return tell(candidate, { reasoning_content: text });
    case "refusal":
      return tell(candidate, { refusal: text });
    default:
      return tell(candidate, { content: text });
  }
}

function sign(
  delta: Extract<ChatDelta, { type: "signature" }>,
  choice: WrittenChoice,
  tell: Tell,
): readonly WireEvent[] {
  const known = choice.parts.get(delta.part);
  if (known === undefined) return [];
  known.signature = delta.signature;
  if (known.of.type !== "tool-call" || delta.signature.of !== "gemini") return [];
  const extra = { google: { thought_signature: delta.signature.value } };
  return tell(delta.candidate, { tool_calls: [{ index: choice.calls.get(delta.part), extra_content: extra }] });
}

/** A thought that must be sent back goes whole into one block, when all of it is known. */
function close(delta: Extract<ChatDelta, { type: "close" }>, choice: WrittenChoice, tell: Tell): readonly WireEvent[] {
  const known = choice.parts.get(delta.part);
  choice.parts.delete(delta.part);
  if (known === undefined) return [];
  const { of, text, signature, hasArguments } = known;
  if (of.type === "tool-call" && !hasArguments) {
    return tell(delta.candidate, {
      tool_calls: [{ index: choice.calls.get(delta.part), function: { arguments: "{}" } }],
    });
  }
  if (of.type !== "reasoning" || (signature === undefined && of.redacted === undefined)) return [];
  const { redacted, id } = of;
  const block = { type: "reasoning" as const, text, ...withoutAbsent({ signature, redacted, id }) };
  return tell(delta.candidate, { thinking_blocks: [writeThinkingBlock(block)] });
}
