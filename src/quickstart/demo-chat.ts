import { createHash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { ChatRequest, ChatTool } from "./demo-request.ts";
import { textOf } from "./demo-request.ts";
import { demoTokens } from "./demo-tokens.ts";

/** One call of a tool, as the demonstration model makes it up from the tool's schema. */
export interface DemoToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** What the demonstration model answers; every choice of a request is the same. */
export interface DemoReply {
  /** Equal requests get equal ids. */
  readonly id: string;
  readonly tokens: readonly string[];
  readonly toolCalls: readonly DemoToolCall[];
  readonly finishReason: "stop" | "length" | "tool_calls";
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
    readonly completion_tokens_details: { readonly reasoning_tokens: number };
  };
}

/** The reply to a request: the same for the same request, and it says that it is a demonstration. */
export function demoReply(request: ChatRequest): DemoReply {
  const asked = { ...request, stream: undefined, stream_options: undefined }; // streamed or not, the same answer
  const hash = createHash("sha256").update(canonicalJson(asked)).digest("hex");
  const called = toolsToCall(request);
  const toolCalls = called.map((tool, index) => ({
    id: `call_demo_${hash.slice(0, 12)}_${index}`,
    name: tool.function.name,
    arguments: JSON.stringify(exampleOf(tool.function.parameters ?? {}, 0)),
  }));
  const text = toolCalls.length > 0 ? "" : beforeStop(replyText(request), request.stop);
  const all = demoTokens(text);
  const most = request.max_completion_tokens ?? request.max_tokens ?? all.length;
  const tokens = all.slice(0, most);
  const cut = tokens.length < all.length;
  const finishReason = toolCalls.length > 0 ? "tool_calls" : cut ? "length" : "stop";
  return {
    id: `chatcmpl-demo-${hash.slice(0, 24)}`,
    tokens,
    toolCalls,
    finishReason,
    usage: usageOf(request, tokens, toolCalls),
  };
}

function replyText(request: ChatRequest): string {
  const last = request.messages.at(-1);
  const said = shorten(textOf(last?.role === "tool" ? last : request.messages.findLast(({ role }) => role === "user")));
  if (request.response_format?.type === "json_object") {
    return JSON.stringify({ demonstration: true, model: request.model, echo: said });
  }
  const heard = last?.role === "tool" ? `The tool answered: ${said}` : `You said: ${said}`;
  return `This is a demonstration: no model has thought about it. ${heard}`;
}

function shorten(text: string): string {
  const characters = Array.from(text);
  return characters.length <= 400 ? text : `${characters.slice(0, 400).join("")}…`;
}

function beforeStop(text: string, stop: ChatRequest["stop"]): string {
  const stops = (typeof stop === "string" ? [stop] : (stop ?? [])).filter((sequence) => sequence !== "");
  const ends = stops.map((sequence) => text.indexOf(sequence)).filter((index) => index >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

// Asked for by name; else all of them when the text speaks of tools, and the first when it speaks of a tool or when
// the request insists. A tool's result is answered with text, so that an agent's loop ends.
function toolsToCall(request: ChatRequest): readonly ChatTool[] {
  const tools = request.tools ?? [];
  const choice = request.tool_choice ?? "auto";
  if (choice === "none" || tools.length === 0) return [];
  if (typeof choice === "object")
    return tools.filter((tool) => tool.function.name === choice.function.name).slice(0, 1);
  const last = request.messages.at(-1);
  if (choice === "auto" && last?.role !== "user") return [];
  const text = textOf(request.messages.findLast(({ role }) => role === "user"));
  const named = tools.filter((tool) => text.includes(tool.function.name));
  const asked = named.length > 0 ? named : /\b(tools|parallel)\b/i.test(text) ? tools : tools.slice(0, 1);
  if (choice === "auto" && named.length === 0 && !/\b(tools?|parallel)\b/i.test(text)) return [];
  return request.parallel_tool_calls === false ? asked.slice(0, 1) : asked;
}

const deepestExample = 5;

// What is no schema is taken for an empty one: a demonstration does not judge a client's tools.
const parameterSchema = z
  .looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    properties: z.record(z.string(), z.unknown()).optional(),
    enum: z.array(z.unknown()).min(1).optional(),
    default: z.unknown().optional(),
    const: z.unknown().optional(),
  })
  .catch({});

function exampleOf(schema: unknown, depth: number): unknown {
  const { type, properties, default: preset, enum: values, const: constant } = parameterSchema.parse(schema);
  if (constant !== undefined) return constant;
  if (preset !== undefined) return preset;
  if (values !== undefined) return values[0];
  if (properties !== undefined) {
    if (depth >= deepestExample) return {};
    return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, exampleOf(member, depth + 1)]));
  }
  switch (Array.isArray(type) ? type[0] : type) {
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "null":
      return null;
    case "string":
      return "demo";
    default:
      return depth === 0 ? {} : "demo";
  }
}

function usageOf(request: ChatRequest, tokens: readonly string[], calls: readonly DemoToolCall[]): DemoReply["usage"] {
  const messages = request.messages.reduce((sum, message) => sum + 3 + demoTokens(textOf(message)).length, 0);
  const tools = request.tools ? demoTokens(JSON.stringify(request.tools)).length : 0;
  const called = calls.reduce((sum, call) => sum + demoTokens(`${call.name} ${call.arguments}`).length, 0);
  const completion = (tokens.length + called) * (request.n ?? 1);
  return {
    prompt_tokens: messages + tools,
    completion_tokens: completion,
    total_tokens: messages + tools + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}
