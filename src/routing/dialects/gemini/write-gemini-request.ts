import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatRequest, ChatTool, OutputForm, ReasoningWish, ToolChoice } from "../chat-request.ts";
import type { TargetModel } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeGeminiTurns } from "./write-gemini-turns.ts";

/**
 * The body of `…:generateContent`, for Gemini and for Vertex AI; the model stands in the path. Or the refusal of what
 * Google has no word for.
 * @see https://ai.google.dev/api/generate-content
 */
export function writeGeminiRequest(request: ChatRequest, target: TargetModel): WireObject | Deny {
  const [first] = request.uncarried;
  const lost =
    first ?? (request.parallelToolCalls === false && request.tools.length > 0 ? "parallel_tool_calls" : undefined);
  if (lost !== undefined) return refuseUncarried(lost, "Google's generateContent");
  const written = writeGeminiTurns(request.turns, isLater.test(target.name));
  if ("type" in written) return written;
  const { sampling } = request;
  const config = withoutAbsent({
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    seed: sampling.seed,
    presencePenalty: sampling.presencePenalty,
    frequencyPenalty: sampling.frequencyPenalty,
    maxOutputTokens: request.maxOutputTokens,
    stopSequences: request.stop.length === 0 ? undefined : request.stop,
    candidateCount: request.candidates === 1 ? undefined : request.candidates,
    responseLogprobs: request.topLogprobs === undefined ? undefined : true,
    logprobs: request.topLogprobs || undefined,
    ...writeOutput(request.output),
    thinkingConfig: writeThinking(request.reasoning, target.name),
  });
  return withoutAbsent({
    contents: written.contents,
    systemInstruction: written.system.length === 0 ? undefined : { parts: written.system },
    tools: request.tools.length === 0 ? undefined : [{ functionDeclarations: request.tools.map(writeTool) }],
    toolConfig: request.tools.length === 0 ? undefined : writeToolChoice(request.toolChoice),
    generationConfig: Object.keys(config).length === 0 ? undefined : config,
    labels: target.takesLabels === true ? request.metadata : undefined,
  });
}

function writeTool({ name, description, parameters }: ChatTool): WireObject {
  // The plain JSON Schema member: `parameters` is a subset of OpenAPI's that knows neither unions nor references.
  return withoutAbsent({ name, description, parametersJsonSchema: parameters });
}

function writeToolChoice(choice: ToolChoice | undefined): WireObject | undefined {
  if (choice === undefined) return undefined;
  const modes = { auto: "AUTO", none: "NONE", required: "ANY", tool: "ANY" } as const;
  const names = choice.type === "tool" ? { allowedFunctionNames: [choice.name] } : {};
  return { functionCallingConfig: { mode: modes[choice.type], ...names } };
}

function writeOutput(output: OutputForm | undefined): WireObject {
  if (output === undefined || output.type === "text") return {};
  const json = { responseMimeType: "application/json" };
  return output.type === "json" ? json : { ...json, responseJsonSchema: output.schema };
}

const budgets = { none: 0, minimal: 512, low: 1_024, medium: 8_192, high: 24_576, max: 32_768 } as const;

// Models before 3 take a budget of tokens and know no ids of calls; the later ones take a level, and ids.
const isLater = /gemini-(?:[3-9]|\d\d)/;

function writeThinking(wish: ReasoningWish | undefined, model: string): WireObject | undefined {
  if (wish === undefined) return undefined;
  const includeThoughts = wish.visible === false || wish.effort === "none" ? undefined : true;
  if (isLater.test(model) && wish.budgetTokens === undefined) {
    return withoutAbsent({ thinkingLevel: levelOf(wish.effort), includeThoughts });
  }
  return withoutAbsent({ thinkingBudget: wish.budgetTokens ?? budgets[wish.effort ?? "medium"], includeThoughts });
}

function levelOf(effort: ReasoningWish["effort"]): string {
  if (effort === "none") return "minimal";
  return effort === "max" ? "high" : (effort ?? "medium");
}
