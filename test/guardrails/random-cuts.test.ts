import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editFrame, frameSpans } from "../../src/gateway/llm/llm-spans.ts";
import { SseFrame } from "../../src/gateway/sse-frame.ts";
import { guardrails } from "../../src/guardrails/index.ts";
import type { Operation } from "../../src/pipeline/exchange.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import type { InboundDialectId } from "../../src/routing/dialects/index.ts";
import { attach, buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";
import { pull } from "../kit/stream-guards.ts";
import { textAdapter } from "../kit/text-adapter.ts";
import { trips } from "./trips.ts";

const adapter = { ...textAdapter, frameSpans, editFrame };

/** An event of each dialect that carries a piece of the answer's text. */
const pieces: Readonly<Record<InboundDialectId, (text: string) => object>> = {
  "openai-chat": (content) => ({ choices: [{ index: 0, delta: { content } }] }),
  "anthropic-messages": (text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  "openai-responses": (delta) => ({ type: "response.output_text.delta", output_index: 0, content_index: 0, delta }),
};
const dialects = Object.keys(pieces) as InboundDialectId[]; // of the table above

const filler = fc
  .array(fc.constantFrom("a", "word", "or", "two.", "\n", "naïve", "𝒳", "שלום", "\u200b"), { maxLength: 25 })
  .map((words) => words.join(" "));

const rows = guardrails.flatMap((plugin) => {
  const trip = trips[plugin.id];
  if (trip === undefined) return [];
  const compiled = plugin.compile(plugin.config.parse(trip.with), buildTools());
  return compiled.phases.includes("response") ? [{ id: plugin.id, trip, compiled }] : [];
});

describe.each(rows)("$id", ({ trip, compiled }) => {
  const between = trip.isSentence === true ? ".\n" : " ";
  const texts = fc.tuple(filler, filler).map(([before, after]) => [before, trip.caught, after].join(between));
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 60 });

  test.each(dialects)("judges a stream of %s the same way however it is cut", async (dialect) => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, async (text, at) => {
        const whole = await judged([text]);
        const cut = await judged(cutAt(text, at));
        expect(cut.isRefused).toBe(whole.isRefused);
        if (!cut.isRefused) expect(cut.text).toBe(whole.text);
        if (trip.does !== "annotate") expect(cut.text).not.toContain(trip.piece ?? trip.caught);
      }),
      { numRuns: 20 },
    );

    async function judged(parts: readonly string[]): Promise<{ readonly text: string; readonly isRefused: boolean }> {
      const operation: Operation = buildOperation({ stream: true, message: { dialect } });
      const frames = parts.map(
        (part) => new SseFrame(Buffer.from(`data: ${JSON.stringify(pieces[dialect](part))}\n\n`)),
      );
      const exchange = buildExchange({ adapter });
      let text = "";
      try {
        const attachments = [attach(compiled)];
        for await (const frame of guardStream(pull(frames), { exchange, operation, attachments })) {
          for (const span of frameSpans(operation, frame)) text += span.text;
        }
        return { text, isRefused: false };
      } catch (error) {
        expect(error).toMatchObject({ code: "guardrail.denied" });
        return { text, isRefused: true };
      }
    }
  });
});

/** Never inside of a character: an upstream that tears one apart is refused before any guardrail. */
function cutAt(text: string, places: readonly number[]): readonly string[] {
  const characters = Array.from(text);
  const most = characters.length;
  const ends = [...new Set([...places.map((place) => Math.min(place, most)), most])].toSorted((a, b) => a - b);
  return ends.map((end, index) => characters.slice(ends[index - 1] ?? 0, end).join(""));
}
