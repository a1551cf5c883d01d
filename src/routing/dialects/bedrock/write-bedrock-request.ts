import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatRequest, ChatTool, ToolChoice } from "../chat-request.ts";
import type { TargetModel } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeBedrockTurns } from "./write-bedrock-turns.ts";

const dialect = "Bedrock's Converse";

/**
 * The body of Bedrock's `Converse` and `ConverseStream`; the model stands in the path. Or the refusal of what Bedrock has
 * no word for.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function writeBedrockRequest(request: ChatRequest, target: TargetModel): WireObject | Deny {
  const lost = lostMember(request);
  if (lost !== undefined) return refuseUncarried(lost, dialect);
  const written = writeBedrockTurns(request.turns);
  if ("type" in written) return written;
  if (request.toolChoice?.type === "none" && request.tools.length > 0 && written.called.length > 0) {
    return refuseUncarried("tool_choice", dialect); // without tools a history of calls is refused
  }
  const { sampling } = request;
  const inference = withoutAbsent({
    maxTokens: request.maxOutputTokens,
    temperature: sampling.temperature,
    topP: sampling.topP,
    stopSequences: request.stop.length === 0 ? undefined : request.stop,
  });
  const own = modelFields(request, target.name);
  return withoutAbsent({
    system: written.system.length === 0 ? undefined : written.system,
    messages: written.messages,
    inferenceConfig: Object.keys(inference).length === 0 ? undefined : inference,
    toolConfig: writeToolConfig(request, written.called),
    additionalModelRequestFields: Object.keys(own).length === 0 ? undefined : own,
    requestMetadata: request.metadata,
  });
}

function lostMember(request: ChatRequest): string | undefined {
  const { uncarried, sampling, candidates, output, topLogprobs, toolChoice, tools } = request;
  const [first] = uncarried;
  if (first !== undefined) return first;
  if (candidates > 1) return "n";
  if (topLogprobs !== undefined) return "logprobs";
  if (sampling.seed !== undefined) return "seed";
  if ((sampling.presencePenalty ?? 0) !== 0) return "presence_penalty";
  if ((sampling.frequencyPenalty ?? 0) !== 0) return "frequency_penalty";
  if (output !== undefined && output.type !== "text") return "response_format";
  const calls = tools.length > 0 && toolChoice?.type !== "none";
  return request.parallelToolCalls === false && calls ? "parallel_tool_calls" : undefined;
}

/** What only some models take: Bedrock hands it on to them as it is. */
function modelFields(request: ChatRequest, model: string): WireObject {
  const isClaude = model.includes("anthropic.claude");
  const budget = budgetOf(request);
  return withoutAbsent({
    top_k: request.sampling.topK,
    thinking: isClaude && budget !== undefined ? { type: "enabled", budget_tokens: budget } : undefined,
    reasoning_effort: isClaude ? undefined : request.reasoning?.effort,
  });
}

const leastBudget = 1_024;
const budgets = { none: 0, minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384, max: 32_768 } as const;

function budgetOf({ reasoning, maxOutputTokens }: ChatRequest): number | undefined {
  if (reasoning === undefined || reasoning.effort === "none") return undefined;
  const wanted = Math.max(reasoning.budgetTokens ?? budgets[reasoning.effort ?? "medium"], leastBudget);
  const budget = maxOutputTokens === undefined ? wanted : Math.min(wanted, maxOutputTokens - 1);
  return budget < leastBudget ? undefined : budget;
}

/** Bedrock refuses a history with calls where no tools are told, so those that it names are. */
function writeToolConfig({ tools, toolChoice }: ChatRequest, called: readonly string[]): WireObject | undefined {
  if ((tools.length === 0 || toolChoice?.type === "none") && called.length === 0) return undefined;
  const told =
    tools.length > 0 ? tools.map(writeTool) : called.map((name) => writeTool({ name, parameters: undefined }));
  return withoutAbsent({ tools: told, toolChoice: tools.length === 0 ? undefined : writeToolChoice(toolChoice) });
}

function writeTool({
  name,
  description,
  parameters,
}: Pick<ChatTool, "name" | "description" | "parameters">): WireObject {
  const json = { ...(parameters ?? { properties: {} }), type: "object" };
  return { toolSpec: withoutAbsent({ name, description: description || undefined, inputSchema: { json } }) };
}

function writeToolChoice(choice: ToolChoice | undefined): WireObject | undefined {
  if (choice === undefined || choice.type === "none") return undefined;
  if (choice.type === "tool") return { tool: { name: choice.name } };
  return choice.type === "required" ? { any: {} } : { auto: {} };
}
