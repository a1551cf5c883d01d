import { describe, expect, test } from "vitest";
import { guardrails } from "../../src/guardrails/index.ts";
import type { CompiledGuardrail, GuardrailPhase, Verdict } from "../../src/pipeline/define-guardrail.ts";
import { buildTools } from "../kit/exchange.ts";
import { trips } from "./trips.ts";

const megabyte = 1_048_576;
const filled = (piece: string): string => piece.repeat(Math.ceil(megabyte / piece.length)).slice(0, megabyte);

/** What patterns and parsers choke on: a run of it is everywhere nearly a match, and nowhere one. */
const runs: readonly (readonly [name: string, piece: string])[] = [
  ["letters", "a"],
  ["digits", "1"],
  ["digits and spaces", "4 "],
  ["spaces", " "],
  ["line breaks", "\n"],
  ["full stops", "."],
  ["dashes", "-"],
  ["beginnings of mail addresses", "a.b@"],
  ["hosts without an end", "a.a-"],
  ["schemes", "http://"],
  ["colons of addresses", "1:"],
  ["open objects", '{"a":'],
  ["open lists", "["],
  ["quotes and backslashes", '\\"'],
  ["names of secrets", "password="],
  ["templates", "template://greet?"],
  ["orders to a model", "ignore all "],
  ["lone surrogates", "\ud800"],
  ["right-to-left letters and marks", "\u202e\u0633\u05d0"],
  ["zero-width characters", "\u200b\u200d\ufeff"],
  ["marks upon marks", "a\u0301\u0300"],
  ["joined pictures", "\u{1f469}\u200d"],
];

/** For one text of a megabyte, on a busy machine. What grows with the square of the length would take hours. */
const mostMs = 15_000;

const rows = guardrails.flatMap((plugin) => {
  const trip = trips[plugin.id];
  if (trip === undefined) return []; // it asks a service
  return [{ id: plugin.id, trip, compiled: plugin.compile(plugin.config.parse(trip.with), buildTools()) }];
});

describe.each(rows)("$id", ({ compiled, trip }) => {
  test.each(runs)("judges a megabyte of %s in time that grows with it only", { timeout: 120_000 }, async (_, piece) => {
    const text = filled(piece);
    for (const phase of compiled.phases) {
      const before = process.cpuUsage();
      const verdict = await judged(compiled, text, phase);
      const { user } = process.cpuUsage(before);
      expectSound(verdict, text);
      expect(user / 1_000).toBeLessThan(mostMs);
    }
  });

  test.each([
    { name: "marks that turn the writing around", before: "\u202e\u2067\u200f ", after: " \u2069\u202c" },
    { name: "zero-width characters", before: "\u200b \u2060\ufeff ", after: " \u200d\u200b" },
    { name: "halves of surrogate pairs", before: "\ud83d ", after: " \udead" },
    { name: "characters that no text holds", before: "\u0000 \ufffd\uffff ", after: " \u0000" },
  ])("catches what it looks for between $name", async ({ before, after }) => {
    const text = `${before}${trip.caught}${after}`;
    const [phase = "request"] = compiled.phases;
    const verdict = await judged(compiled, text, phase);
    expectSound(verdict, text);
    expect(verdict.type).toBe(trip.does === "annotate" ? "pass" : trip.does);
  });
});

function judged(compiled: CompiledGuardrail, text: string, phase: GuardrailPhase): Promise<Verdict> | Verdict {
  const kept = new Map<string, unknown>();
  const span = { place: "messages[0].content", author: "user", text } as const;
  return compiled.inspect([span], phase, {
    exchangeId: "e",
    operation: { kind: "chat", name: "m" },
    signal: new AbortController().signal,
    memory<Kept>(make: () => Kept): Kept {
      if (!kept.has("own")) kept.set("own", make());
      return kept.get("own") as Kept; // made by the line above
    },
  });
}

/** Edits lie within the text, in their order, and no two of them meet. */
function expectSound(verdict: Verdict, { length }: string): void {
  if (verdict.type !== "rewrite") return;
  let from = 0;
  for (const { span, start, end } of verdict.edits.toSorted((left, right) => left.start - right.start)) {
    if (span !== 0 || start < from || end < start || end > length) throw new Error(`an edit of ${start} to ${end}`);
    from = end;
  }
}
