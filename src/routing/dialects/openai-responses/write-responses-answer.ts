import type { AnswerPart, ChatAnswer, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { ReasoningPart } from "../chat-request.ts";
import type { AnswerContext } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { withoutAbsent } from "../without-absent.ts";
import { carryEncrypted } from "./read-responses-input.ts";

/** A whole response, as OpenAI's clients read it. Of several candidates the first. It is kept nowhere. */
export function writeResponsesAnswer(answer: ChatAnswer, context: AnswerContext): WireObject {
  const id = responseId(answer.id, context.exchangeId);
  const [candidate] = answer.candidates;
  const output = (candidate?.parts ?? []).map((part, index) => writeItem(part, itemId(id, index)));
  const about = { id, model: answer.model, createdAtMs: answer.createdAtMs ?? context.nowMs };
  return writeResponse(about, { finish: candidate?.finish ?? "stop", output, usage: answer.usage }, context);
}

/** The provider's own id where it has the form of one, or one made of the exchange's. */
export function responseId(id: string, exchangeId: string): string {
  return id.startsWith("resp_") ? id : `resp_${exchangeId.replaceAll("-", "")}`;
}

/** The id of an item by its place in a response. */
export function itemId(response: string, index: number): string {
  return `${response.replace("resp_", "item_")}_${index}`;
}

/** The response object, whole or while it is made (`finish` undefined). */
export function writeResponse(
  about: { readonly id: string; readonly model: string; readonly createdAtMs: number },
  made: {
    readonly finish: FinishReason | undefined;
    readonly output: readonly WireObject[];
    readonly usage: ChatUsage | undefined;
  },
  { request }: AnswerContext,
): WireObject {
  const { finish, output, usage } = made;
  const reason = finish === "length" || finish === "overflow" ? "max_output_tokens" : "content_filter";
  const status = statusOf(finish);
  return {
    id: about.id,
    object: "response",
    created_at: Math.floor(about.createdAtMs / 1_000),
    status,
    error: status === "failed" ? { code: "server_error", message: "The model's answer broke off." } : null,
    incomplete_details: status === "incomplete" ? { reason } : null,
    instructions: null,
    max_output_tokens: request.maxOutputTokens ?? null,
    model: about.model,
    output,
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    store: false,
    temperature: request.sampling.temperature ?? null,
    text: { format: { type: "text" } },
    tool_choice:
      request.toolChoice === undefined || request.toolChoice.type === "tool" ? "auto" : request.toolChoice.type,
    tools: [],
    top_p: request.sampling.topP ?? null,
    truncation: "disabled",
    usage: usage === undefined ? null : writeResponsesUsage(usage),
    metadata: request.metadata ?? {},
  };
}

function statusOf(finish: FinishReason | undefined): string {
  if (finish === undefined) return "in_progress";
  if (finish === "error") return "failed";
  return finish === "length" || finish === "overflow" || finish === "filtered" ? "incomplete" : "completed";
}

/** A part as an item that is done. */
export function writeItem(part: AnswerPart, id: string): WireObject {
  switch (part.type) {
    case "tool-call": {
      const given = part.arguments === "" ? "{}" : part.arguments;
      return { id, type: "function_call", status: "completed", call_id: part.id, name: part.name, arguments: given };
    }
    case "reasoning":
      return writeReasoningItem(part, id);
    default:
      return { id, type: "message", status: "completed", role: "assistant", content: [writeContent(part)] };
  }
}

/** A text or a refusal inside its message. */
export function writeContent(part: Extract<AnswerPart, { type: "text" | "refusal" }>): WireObject {
  if (part.type === "refusal") return { type: "refusal", refusal: part.text };
  return { type: "output_text", text: part.text, annotations: [], logprobs: [] };
}

function writeReasoningItem({ text, signature, redacted, id: own }: ReasoningPart, id: string): WireObject {
  const proof = signature ?? redacted;
  return withoutAbsent({
    id: own ?? id,
    type: "reasoning",
    summary: text === "" ? [] : [{ type: "summary_text", text }],
    encrypted_content: proof === undefined ? undefined : carryEncrypted(proof),
  });
}

function writeResponsesUsage({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens }: ChatUsage): WireObject {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}
