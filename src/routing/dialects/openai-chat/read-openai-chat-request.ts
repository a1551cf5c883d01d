import type { ChatRequest, ChatTool, ChatTurn, ToolChoice } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { MemberReader } from "../member-reader.ts";
import { readCacheMark } from "../read-cache-mark.ts";
import { readEffort, readMetadata, readOpenAiFormat, readSampling } from "./read-openai-options.ts";
import { readOpenAiTurn } from "./read-openai-turn.ts";

/**
 * The body of `POST /v1/chat/completions`. Throws `request.invalid` with the member that is wrong.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function readOpenAiChatRequest(body: WireObject): ChatRequest {
  const uncarried: string[] = [];
  const top = new MemberReader(body, "", uncarried);
  const effort = readEffort(top, "reasoning_effort");
  const request = {
    model: top.neededText("model"),
    stream: top.flag("stream") ?? false,
    turns: readTurns(top),
    tools: top.objects("tools").flatMap(readTool),
    toolChoice: readToolChoice(top),
    parallelToolCalls: top.flag("parallel_tool_calls"),
    maxOutputTokens: top.count("max_completion_tokens", 1) ?? top.count("max_tokens", 1),
    sampling: readSampling(top, "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty"),
    stop: readStop(top),
    candidates: top.count("n", 1) ?? 1,
    output: readOpenAiFormat(top.object("response_format"), (format) => format.object("json_schema")),
    reasoning: effort && { effort },
    topLogprobs: top.flag("logprobs") === true ? (top.count("top_logprobs") ?? 0) : undefined,
    user: top.text("safety_identifier") ?? top.text("user"),
    metadata: readMetadata(top),
    cacheKey: top.text("prompt_cache_key"),
    serviceTier: top.text("service_tier"),
    wantsStreamUsage: readStreamOptions(top),
  };
  passOverHarmless(top);
  top.finish();
  return { ...request, uncarried };
}

function readTurns(top: MemberReader): readonly ChatTurn[] {
  const messages = top.objects("messages");
  if (messages.length === 0) throw top.fault("messages", "must hold at least one message");
  return messages.map(readOpenAiTurn);
}

function readTool(tool: MemberReader): readonly ChatTool[] {
  if (tool.neededText("type") !== "function") {
    tool.uncarried("type"); // a tool that its provider runs, or one without a schema
    return [];
  }
  const about = tool.object("function");
  if (about === undefined) throw tool.fault("function", "must be an object");
  const description = about.text("description");
  const strict = about.flag("strict");
  const read: ChatTool = {
    name: about.neededText("name"),
    ...(description === undefined ? {} : { description }),
    parameters: about.plain("parameters"),
    ...(strict === undefined ? {} : { strict }),
    ...readCacheMark(tool),
    at: tool.at,
  };
  about.finish();
  tool.finish();
  return [read];
}

function readToolChoice(top: MemberReader): ToolChoice | undefined {
  const choice = top.any("tool_choice");
  if (choice === undefined) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return { type: choice };
  const named = top.object("tool_choice");
  if (named?.text("type") === "function") {
    const name = named.object("function")?.neededText("name");
    if (name !== undefined) return { type: "tool", name };
  }
  top.uncarried("tool_choice");
  return undefined;
}

function readStop(top: MemberReader): readonly string[] {
  const stop = top.any("stop");
  if (stop === undefined) return [];
  if (typeof stop === "string") return [stop];
  if (Array.isArray(stop) && stop.every((text) => typeof text === "string")) return stop;
  throw top.fault("stop", "must be a string or a list of strings");
}

function readStreamOptions(top: MemberReader): boolean {
  const options = top.object("stream_options");
  options?.passOver("include_obfuscation");
  const wants = options?.flag("include_usage") ?? false;
  options?.finish();
  return wants;
}

/** Members that speed up, name or keep a request and leave its answer as it is; and defaults that ask for nothing. */
function passOverHarmless(top: MemberReader): void {
  top.passOver("prediction", "prompt_cache_retention", "user", "max_tokens", "top_logprobs");
  if (top.flag("store") === true) top.uncarried("store");
  const modalities = top.list("modalities");
  if (modalities?.some((each) => each !== "text")) top.uncarried("modalities");
  const bias = top.plain("logit_bias");
  if (bias !== undefined && Object.keys(bias).length > 0) top.uncarried("logit_bias");
}
