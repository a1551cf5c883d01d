import type { DemoReply } from "./demo-chat.ts";
import type { ChatRequest } from "./demo-request.ts";

/** A reply as the one object of a request that does not stream. `created` is in seconds. */
export function demoCompletion(request: ChatRequest, reply: DemoReply, created: number): unknown {
  const calls = reply.toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: "function",
    function: { name, arguments: text },
  }));
  const message = {
    role: "assistant",
    content: calls.length > 0 ? null : reply.tokens.join(""),
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  const choices = choiceIndexes(request).map((index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: reply.finishReason,
  }));
  return { ...frameOf(request, reply, created, "chat.completion"), choices, usage: reply.usage };
}

/** The same reply as the chunks of a stream, in order, without the closing `[DONE]`. */
export function* demoChunks(request: ChatRequest, reply: DemoReply, created: number): Generator<unknown> {
  const frame = frameOf(request, reply, created, "chat.completion.chunk");
  const counted = request.stream_options?.include_usage === true;
  const chunk = (index: number, delta: object, finishReason: string | null = null): unknown => ({
    ...frame,
    choices: [{ index, delta, logprobs: null, finish_reason: finishReason }],
    ...(counted && { usage: null }),
  });
  const indexes = choiceIndexes(request);
  const content = reply.toolCalls.length > 0 ? null : "";
  for (const index of indexes) yield chunk(index, { role: "assistant", content, refusal: null });
  for (const token of reply.tokens) for (const index of indexes) yield chunk(index, { content: token });
  for (const delta of toolDeltas(reply)) for (const index of indexes) yield chunk(index, { tool_calls: [delta] });
  for (const index of indexes) yield chunk(index, {}, reply.finishReason);
  if (counted) yield { ...frame, choices: [], usage: reply.usage };
}

// First what each call is, then the pieces of their arguments in turn, as parallel calls arrive from real providers.
function* toolDeltas(reply: DemoReply): Generator<object> {
  for (const [index, call] of reply.toolCalls.entries()) {
    yield { index, id: call.id, type: "function", function: { name: call.name, arguments: "" } };
  }
  const pieces = reply.toolCalls.map((call) => call.arguments.match(/.{1,8}/gsu) ?? []);
  const rounds = Math.max(0, ...pieces.map((list) => list.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, list] of pieces.entries()) {
      const piece = list[round];
      if (piece !== undefined) yield { index, function: { arguments: piece } };
    }
  }
}

function choiceIndexes(request: ChatRequest): readonly number[] {
  return Array.from({ length: request.n ?? 1 }, (_, index) => index);
}

function frameOf(request: ChatRequest, reply: DemoReply, created: number, object: string): object {
  return {
    id: reply.id,
    object,
    created,
    model: request.model,
    service_tier: "default",
    system_fingerprint: "fp_demo",
  };
}
