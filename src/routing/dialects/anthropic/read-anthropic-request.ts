import type { ChatRequest, ChatTool, ChatTurn, OutputForm, ReasoningWish, ToolChoice } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { MemberReader } from "../member-reader.ts";
import { readSampling } from "../openai-chat/read-openai-options.ts";
import { readCacheMark } from "../read-cache-mark.ts";
import { readAnthropicMessage, readTextBlocks } from "./read-anthropic-message.ts";

/**
 * The body of `POST /v1/messages`, or of `/v1/messages/count_tokens`, which has no `max_tokens`. Throws
 * `request.invalid` with the member that is wrong.
 * @see https://docs.anthropic.com/en/api/messages
 */
export function readAnthropicRequest(body: WireObject): ChatRequest {
  const uncarried: string[] = [];
  const top = new MemberReader(body, "", uncarried);
  const messages = top.objects("messages");
  if (messages.length === 0) throw top.fault("messages", "must hold at least one message");
  const choice = readToolChoice(top);
  const output = top.object("output_config");
  const user = top.object("metadata");
  const request = {
    model: top.neededText("model"),
    stream: top.flag("stream") ?? false,
    turns: [...readSystem(top), ...messages.flatMap(readAnthropicMessage)],
    tools: top.objects("tools").flatMap(readTool),
    toolChoice: choice.choice,
    parallelToolCalls: choice.parallel,
    maxOutputTokens: top.count("max_tokens", 1),
    sampling: readSampling(top, "temperature", "top_p", "top_k"),
    stop: readStop(top),
    candidates: 1,
    output: readFormat(output?.object("format") ?? top.object("output_format")),
    reasoning: readThinking(top, output),
    topLogprobs: undefined,
    user: user?.text("user_id"),
    metadata: undefined,
    cacheKey: undefined,
    serviceTier: top.oneOf("service_tier", ["auto", "standard_only"]) === "standard_only" ? "default" : undefined,
    wantsStreamUsage: true,
  };
  top.passOver("cache_control"); // marks the last block that can be cached: a wish about cost
  output?.finish();
  user?.finish();
  top.finish();
  return { ...request, uncarried };
}

function readSystem(top: MemberReader): readonly ChatTurn[] {
  const parts = readTextBlocks(top, "system");
  return parts.length === 0 ? [] : [{ role: "system", parts, at: "system" }];
}

function readTool(tool: MemberReader): readonly ChatTool[] {
  if ((tool.text("type") ?? "custom") !== "custom") {
    tool.uncarried("type"); // a tool that Anthropic itself runs, or whose arguments it alone knows
    return [];
  }
  const [description, strict] = [tool.text("description"), tool.flag("strict")];
  tool.passOver("eager_input_streaming");
  const read: ChatTool = {
    name: tool.neededText("name"),
    ...(description === undefined ? {} : { description }),
    parameters: tool.plain("input_schema"),
    ...(strict === undefined ? {} : { strict }),
    ...readCacheMark(tool),
    at: tool.at,
  };
  tool.finish();
  return [read];
}

function readToolChoice(top: MemberReader): { choice: ToolChoice | undefined; parallel: boolean | undefined } {
  const choice = top.object("tool_choice");
  if (choice === undefined) return { choice: undefined, parallel: undefined };
  const type = choice.oneOf("type", ["auto", "any", "tool", "none"]);
  const parallel = choice.flag("disable_parallel_tool_use") === true ? false : undefined;
  if (type === "tool") return { choice: { type: "tool", name: choice.neededText("name") }, parallel };
  return { choice: { type: type === "any" ? "required" : (type ?? "auto") }, parallel };
}

function readStop(top: MemberReader): readonly string[] {
  return (top.list("stop_sequences") ?? []).map((text, index) => {
    if (typeof text === "string") return text;
    throw top.fault(`stop_sequences[${index}]`, "must be a string");
  });
}

function readFormat(format: MemberReader | undefined): OutputForm | undefined {
  if (format === undefined) return undefined;
  const type = format.oneOf("type", ["json_schema"]);
  const schema = format.plain("schema");
  if (type === undefined || schema === undefined) throw format.fault("schema", "must be an object");
  return { type: "schema", name: format.text("name") ?? "answer", schema, strict: true };
}

function readThinking(top: MemberReader, output: MemberReader | undefined): ReasoningWish | undefined {
  const effort = output?.oneOf("effort", ["low", "medium", "high", "xhigh", "max"]);
  const wish = effort && { effort: effort === "xhigh" ? ("max" as const) : effort };
  const thinking = top.object("thinking");
  if (thinking === undefined) return wish;
  const type = thinking.oneOf("type", ["enabled", "disabled", "adaptive"]);
  const visible = thinking.oneOf("display", ["summarized", "omitted"]) !== "omitted";
  const budgetTokens = thinking.count("budget_tokens", 1);
  thinking.finish();
  if (type === "disabled") return { effort: "none" };
  return { ...wish, ...(budgetTokens === undefined ? {} : { budgetTokens }), visible };
}
