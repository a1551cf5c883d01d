import { editFrame, frameSpans } from "../../src/gateway/llm/llm-spans.ts";
import { SseFrame } from "../../src/gateway/sse-frame.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import type { Operation } from "../../src/pipeline/exchange.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import type { InboundDialectId } from "../../src/routing/dialects/index.ts";
import { attach, buildExchange, buildOperation } from "../kit/exchange.ts";
import { pull } from "../kit/stream-guards.ts";
import { textAdapter } from "../kit/text-adapter.ts";

const adapter = { ...textAdapter, frameSpans, editFrame };

/** An event of each dialect that carries a piece of the answer's text. */
const pieces: Readonly<Record<InboundDialectId, (text: string) => object>> = {
  "openai-chat": (content) => ({ choices: [{ index: 0, delta: { content } }] }),
  "anthropic-messages": (text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  "openai-responses": (delta) => ({ type: "response.output_text.delta", output_index: 0, content_index: 0, delta }),
};

/** The dialects in which answers are streamed. One that is new does not compile until it stands above. */
export const cutDialects = Object.keys(pieces) as InboundDialectId[]; // of the table above

/** What comes of a stream of these pieces, and whether it is refused. Throws what is no refusal. */
export async function judgedStream(
  compiled: CompiledGuardrail,
  dialect: InboundDialectId,
  parts: readonly string[],
): Promise<{ readonly text: string; readonly isRefused: boolean }> {
  const operation: Operation = buildOperation({ stream: true, message: { dialect } });
  const frames = parts.map((part) => new SseFrame(Buffer.from(`data: ${JSON.stringify(pieces[dialect](part))}\n\n`)));
  const exchange = buildExchange({ adapter });
  let text = "";
  try {
    for await (const frame of guardStream(pull(frames), { exchange, operation, attachments: [attach(compiled)] })) {
      for (const span of frameSpans(operation, frame)) text += span.text;
    }
    return { text, isRefused: false };
  } catch (error) {
    if (error instanceof GatewayError && error.code === "guardrail.denied") return { text, isRefused: true };
    throw error;
  }
}

/** Never inside of a character: an upstream that tears one apart is refused before any guardrail. */
export function cutAt(text: string, places: readonly number[]): readonly string[] {
  const characters = Array.from(text);
  const most = characters.length;
  const ends = [...new Set([...places.map((place) => Math.min(place, most)), most])].toSorted((a, b) => a - b);
  return ends.map((end, index) => characters.slice(ends[index - 1] ?? 0, end).join(""));
}
