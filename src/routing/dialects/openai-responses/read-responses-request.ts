import type { ChatRequest, ChatTool, ChatTurn, ReasoningWish, ToolChoice } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { MemberReader } from "../member-reader.ts";
import { readEffort, readMetadata, readOpenAiFormat, readSampling } from "../openai-chat/read-openai-options.ts";
import { readResponsesInput } from "./read-responses-input.ts";

/**
 * The body of `POST /v1/responses`. Throws `request.invalid` with the member that is wrong. What needs the state of a
 * server (`previous_response_id`, `conversation`, `background`, `prompt`) cannot be carried to another dialect.
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
export function readResponsesRequest(body: WireObject): ChatRequest {
  const uncarried: string[] = [];
  const top = new MemberReader(body, "", uncarried);
  const text = top.object("text");
  const request = {
    model: top.neededText("model"),
    stream: top.flag("stream") ?? false,
    turns: [...readInstructions(top), ...readResponsesInput(top)],
    tools: top.objects("tools").flatMap(readTool),
    toolChoice: readToolChoice(top),
    parallelToolCalls: top.flag("parallel_tool_calls"),
    maxOutputTokens: top.count("max_output_tokens", 1),
    sampling: readSampling(top, "temperature", "top_p"),
    stop: [],
    candidates: 1,
    output: readOpenAiFormat(text?.object("format")),
    reasoning: readReasoning(top),
    topLogprobs: readInclude(top) ? (top.count("top_logprobs") ?? 0) : undefined,
    user: top.text("safety_identifier") ?? top.text("user"),
    metadata: readMetadata(top),
    cacheKey: top.text("prompt_cache_key"),
    serviceTier: top.text("service_tier"),
    wantsStreamUsage: true,
  };
  text?.finish();
  if (top.text("truncation") === "auto") top.uncarried("truncation");
  if (top.flag("background") === true) top.uncarried("background");
  top.passOver("store", "stream_options", "prompt_cache_retention", "user", "top_logprobs", "client_metadata");
  top.finish();
  return { ...request, uncarried };
}

function readInstructions(top: MemberReader): readonly ChatTurn[] {
  const text = top.text("instructions");
  if (text === undefined || text === "") return [];
  return [{ role: "system", parts: [{ type: "text", text, at: "instructions" }], at: "instructions" }];
}

function readTool(tool: MemberReader): readonly ChatTool[] {
  if (tool.neededText("type") !== "function") {
    tool.uncarried("type"); // a tool that OpenAI runs, or one without a schema
    return [];
  }
  const [description, strict] = [tool.text("description"), tool.flag("strict")];
  const read: ChatTool = {
    name: tool.neededText("name"),
    ...(description === undefined ? {} : { description }),
    parameters: tool.plain("parameters"),
    ...(strict === undefined ? {} : { strict }),
    at: tool.at,
  };
  tool.finish();
  return [read];
}

function readToolChoice(top: MemberReader): ToolChoice | undefined {
  const choice = top.any("tool_choice");
  if (choice === undefined) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return { type: choice };
  const named = top.object("tool_choice");
  if (named?.text("type") === "function") return { type: "tool", name: named.neededText("name") };
  top.uncarried("tool_choice");
  return undefined;
}

function readReasoning(top: MemberReader): ReasoningWish | undefined {
  const reasoning = top.object("reasoning");
  if (reasoning === undefined) return undefined;
  const effort = readEffort(reasoning, "effort");
  const summary = reasoning.text("summary");
  reasoning.passOver("generate_summary");
  reasoning.finish();
  if (effort === undefined && summary === undefined) return undefined;
  return {
    ...(effort === undefined ? {} : { effort }),
    visible: summary !== undefined,
  };
}

/** Whether the probabilities of tokens are asked for. */
function readInclude(top: MemberReader): boolean {
  let wantsLogprobs = false;
  for (const [index, each] of (top.list("include") ?? []).entries()) {
    if (each === "message.output_text.logprobs") wantsLogprobs = true;
    else if (each !== "reasoning.encrypted_content") top.uncarried(`include[${index}]`);
  }
  return wantsLogprobs;
}
