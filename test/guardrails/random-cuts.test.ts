import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardrails } from "../../src/guardrails/index.ts";
import { buildTools } from "../kit/exchange.ts";
import { cutAt, cutDialects, judgedStream } from "./cut-streams.ts";
import { trips } from "./trips.ts";

const filler = fc
  .array(fc.constantFrom("a", "word", "or", "two.", "\n", "naïve", "𝒳", "שלום", "\u200b"), { maxLength: 25 })
  .map((words) => words.join(" "));

const rows = guardrails.flatMap((plugin) => {
  const trip = trips[plugin.id];
  if (trip === undefined) return []; // it asks a service: see remote/random-cuts.test.ts
  const compiled = plugin.compile(plugin.config.parse(trip.with), buildTools());
  return compiled.phases.includes("response") ? [{ id: plugin.id, trip, compiled }] : [];
});

describe.each(rows)("$id", ({ trip, compiled }) => {
  const between = trip.isSentence === true ? ".\n" : " ";
  const texts = fc.tuple(filler, filler).map(([before, after]) => [before, trip.caught, after].join(between));
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 60 });

  test.each(cutDialects)("judges a stream of %s the same way however it is cut", async (dialect) => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, async (text, at) => {
        const whole = await judgedStream(compiled, dialect, [text]);
        const cut = await judgedStream(compiled, dialect, cutAt(text, at));
        expect(cut.isRefused).toBe(whole.isRefused);
        if (!cut.isRefused) expect(cut.text).toBe(whole.text);
        if (trip.does !== "annotate") expect(cut.text).not.toContain(trip.piece ?? trip.caught);
      }),
      { numRuns: 20 },
    );
  });
});
