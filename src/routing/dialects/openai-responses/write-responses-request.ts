import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatRequest, ChatTool, OutputForm, ReasoningWish, ToolChoice } from "../chat-request.ts";
import type { TargetModel } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeResponsesInput } from "./write-responses-input.ts";

const dialect = "OpenAI's Responses";

/** The body of `POST /v1/responses`, which keeps nothing at the provider; or the refusal of what it has no word for. */
export function writeResponsesRequest(request: ChatRequest, target: TargetModel): WireObject | Deny {
  const lost = lostMember(request);
  if (lost !== undefined) return refuseUncarried(lost, dialect);
  const input = writeResponsesInput(request.turns);
  if ("type" in input) return input;
  const format = writeFormat(request.output);
  const include = [
    ...(request.reasoning === undefined ? [] : ["reasoning.encrypted_content"]),
    ...(request.topLogprobs === undefined ? [] : ["message.output_text.logprobs"]),
  ];
  return withoutAbsent({
    model: target.name,
    input,
    stream: request.stream || undefined,
    store: false,
    tools: request.tools.length === 0 ? undefined : request.tools.map(writeTool),
    tool_choice: writeToolChoice(request.toolChoice),
    parallel_tool_calls: request.tools.length === 0 ? undefined : request.parallelToolCalls,
    max_output_tokens: request.maxOutputTokens,
    temperature: request.sampling.temperature,
    top_p: request.sampling.topP,
    text: format && { format },
    reasoning: writeReasoning(request.reasoning),
    include: include.length === 0 ? undefined : include,
    top_logprobs: request.topLogprobs,
    safety_identifier: request.user,
    metadata: request.metadata,
    prompt_cache_key: request.cacheKey,
    service_tier: request.serviceTier,
  });
}

function lostMember({ uncarried, sampling, candidates, stop }: ChatRequest): string | undefined {
  const [first] = uncarried;
  if (first !== undefined) return first;
  if (candidates > 1) return "n";
  if (stop.length > 0) return "stop";
  if (sampling.topK !== undefined) return "top_k";
  if (sampling.seed !== undefined) return "seed";
  if ((sampling.presencePenalty ?? 0) !== 0) return "presence_penalty";
  return (sampling.frequencyPenalty ?? 0) === 0 ? undefined : "frequency_penalty";
}

function writeTool({ name, description, parameters, strict }: ChatTool): WireObject {
  // Absent is strict there, and not so in the other dialects.
  return withoutAbsent({
    type: "function",
    name,
    description,
    parameters: parameters ?? null,
    strict: strict ?? false,
  });
}

function writeToolChoice(choice: ToolChoice | undefined): unknown {
  return choice?.type === "tool" ? { type: "function", name: choice.name } : choice?.type;
}

function writeFormat(output: OutputForm | undefined): WireObject | undefined {
  if (output === undefined || output.type === "text") return undefined;
  if (output.type === "json") return { type: "json_object" };
  const { name, description, schema, strict } = output;
  return withoutAbsent({ type: "json_schema", name, description, schema, strict });
}

function writeReasoning(wish: ReasoningWish | undefined): WireObject | undefined {
  if (wish === undefined) return undefined;
  const effort = wish.effort ?? (wish.budgetTokens === undefined ? undefined : effortOf(wish.budgetTokens));
  return withoutAbsent({
    effort: effort === "max" ? "xhigh" : effort,
    summary: wish.visible === true ? "auto" : undefined,
  });
}

function effortOf(budgetTokens: number): "low" | "medium" | "high" {
  if (budgetTokens <= 4_096) return "low";
  return budgetTokens <= 16_384 ? "medium" : "high";
}
