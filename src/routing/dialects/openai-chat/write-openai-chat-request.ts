import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatRequest, ChatTool, OutputForm, ReasoningWish, ToolChoice } from "../chat-request.ts";
import type { TargetModel } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeOpenAiTurns } from "./write-openai-turns.ts";

/**
 * The body of a chat completion for `target`, or the refusal of what OpenAI has no word for.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function writeOpenAiChatRequest(request: ChatRequest, target: TargetModel): WireObject | Deny {
  const lost = request.uncarried[0] ?? (request.sampling.topK === undefined ? undefined : "top_k");
  if (lost !== undefined) return refuseUncarried(lost, "OpenAI's chat completions");
  const { newestWords = false } = target;
  const messages = writeOpenAiTurns(request.turns, newestWords);
  if ("type" in messages) return messages;
  const { sampling } = request;
  return withoutAbsent({
    model: target.name,
    messages,
    stream: request.stream || undefined,
    stream_options: request.stream ? { include_usage: true } : undefined,
    tools: request.tools.length === 0 ? undefined : request.tools.map(writeTool),
    tool_choice: writeToolChoice(request.toolChoice),
    parallel_tool_calls: request.tools.length === 0 ? undefined : request.parallelToolCalls,
    [newestWords ? "max_completion_tokens" : "max_tokens"]: request.maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    seed: sampling.seed,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    stop: request.stop.length === 0 ? undefined : request.stop,
    n: request.candidates === 1 ? undefined : request.candidates,
    response_format: writeOutput(request.output),
    reasoning_effort: writeEffort(request.reasoning),
    logprobs: request.topLogprobs === undefined ? undefined : true,
    top_logprobs: request.topLogprobs,
    [newestWords ? "safety_identifier" : "user"]: request.user,
    // Neither changes an answer, and most servers of this dialect know neither.
    metadata: newestWords ? request.metadata : undefined,
    prompt_cache_key: newestWords ? request.cacheKey : undefined,
    service_tier: request.serviceTier,
  });
}

function writeTool({ name, description, parameters, strict }: ChatTool): WireObject {
  return { type: "function", function: withoutAbsent({ name, description, parameters, strict }) };
}

function writeToolChoice(choice: ToolChoice | undefined): unknown {
  return choice?.type === "tool" ? { type: "function", function: { name: choice.name } } : choice?.type;
}

function writeOutput(output: OutputForm | undefined): WireObject | undefined {
  if (output === undefined || output.type === "text") return undefined;
  if (output.type === "json") return { type: "json_object" };
  const { name, description, schema, strict } = output;
  return { type: "json_schema", json_schema: withoutAbsent({ name, description, schema, strict }) };
}

/** The word for a wish, or for a budget of tokens: a budget is a bound, and OpenAI knows but words. */
function writeEffort(wish: ReasoningWish | undefined): string | undefined {
  if (wish === undefined) return undefined;
  if (wish.effort !== undefined) return wish.effort === "max" ? "xhigh" : wish.effort;
  if (wish.budgetTokens === undefined) return undefined;
  if (wish.budgetTokens <= 4_096) return "low";
  return wish.budgetTokens <= 16_384 ? "medium" : "high";
}
