import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatRequest, ChatTool, ToolChoice } from "../chat-request.ts";
import type { TargetModel } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeThinking } from "./write-anthropic-thinking.ts";
import { writeAnthropicTurns } from "./write-anthropic-turns.ts";
import { writeCacheMark } from "./write-cache-mark.ts";

const dialect = "Anthropic's Messages";

/** What an answer may have where neither the client nor the target says. */
const usualMaxTokens = 8_192;

/**
 * The body of `POST /v1/messages` for `target`, or the refusal of what Anthropic has no word for.
 * @see https://docs.anthropic.com/en/api/messages
 */
export function writeAnthropicRequest(request: ChatRequest, target: TargetModel): WireObject | Deny {
  const lost = lostMember(request);
  if (lost !== undefined) return refuseUncarried(lost, dialect);
  const written = writeAnthropicTurns(request.turns);
  if ("type" in written) return written;
  const maxTokens = request.maxOutputTokens ?? target.maxOutputTokens ?? usualMaxTokens;
  const { thinking, effort } = writeThinking(request, target.name, maxTokens);
  const format = request.output?.type === "schema" ? { type: "json_schema", schema: request.output.schema } : undefined;
  const config = withoutAbsent({ effort, format });
  // History with calls needs tools, also where this request offers none.
  const tools = request.tools.length > 0 ? request.tools.map(writeTool) : written.called.map(silentTool);
  const choice: ToolChoice | undefined =
    request.tools.length === 0 && tools.length > 0 ? { type: "none" } : request.toolChoice;
  return withoutAbsent({
    model: target.name,
    max_tokens: maxTokens,
    system: written.system.length === 0 ? undefined : written.system,
    messages: written.messages,
    stream: request.stream || undefined,
    tools: tools.length === 0 ? undefined : tools,
    tool_choice: writeToolChoice(choice, request.parallelToolCalls),
    temperature: request.sampling.temperature,
    top_p: request.sampling.topP,
    top_k: request.sampling.topK,
    stop_sequences: request.stop.length === 0 ? undefined : request.stop,
    thinking,
    output_config: Object.keys(config).length === 0 ? undefined : config,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
  });
}

/** The first member that Anthropic cannot be told, by the name that OpenAI gives it; its values that ask for nothing count not. */
function lostMember({ uncarried, sampling, candidates, output, topLogprobs }: ChatRequest): string | undefined {
  const [first] = uncarried;
  if (first !== undefined) return first;
  if (candidates > 1) return "n";
  if (topLogprobs !== undefined) return "logprobs";
  if (sampling.seed !== undefined) return "seed";
  if ((sampling.presencePenalty ?? 0) !== 0) return "presence_penalty";
  if ((sampling.frequencyPenalty ?? 0) !== 0) return "frequency_penalty";
  if ((sampling.temperature ?? 0) > 1) return "temperature";
  return output?.type === "json" ? "response_format" : undefined;
}

function writeTool({ name, description, parameters, cache }: ChatTool): WireObject {
  const schema = { ...(parameters ?? { properties: {} }), type: "object" };
  return withoutAbsent({ name, description, input_schema: schema, cache_control: cache && writeCacheMark(cache) });
}

function silentTool(name: string): WireObject {
  return { name, input_schema: { type: "object" } };
}

function writeToolChoice(choice: ToolChoice | undefined, parallel: boolean | undefined): WireObject | undefined {
  const single = parallel === false && choice?.type !== "none" ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: "auto", ...single } : undefined;
  if (choice.type === "tool") return { type: "tool", name: choice.name, ...single };
  return { type: choice.type === "required" ? "any" : choice.type, ...single };
}
