import fc from "fast-check";
import { linearRegex } from "../../src/kernel/safe-regex.ts";
import type { CompiledGuardrail, SpanEdit, StreamWindow } from "../../src/pipeline/define-guardrail.ts";
import type { Exchange, Frame } from "../../src/pipeline/exchange.ts";
import type { Attachment } from "../../src/pipeline/snapshot.ts";
import type { StreamGuards } from "../../src/pipeline/window-runner.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import { buildExchange, buildOperation } from "./exchange.ts";
import { edited, textFrame } from "./text-adapter.ts";

/** What the guardrails of these tests look for unless told; no match is longer than `longestWord`. */
export const boundedWords = linearRegex("aa|abba|b{1,3}c|x");
export const longestWord = 4;

/** Texts in which those words are common. */
export function letters(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...Array.from("aaabbbccdx ")), maxLength });
}

/** Such a text, and frames that carry a cut of it. */
export const cutTexts = letters(80).chain((text) => cutsOf(text).map((frames) => ({ text, frames })));

/** The text in frames that carry any cut of it, empty pieces and heartbeats among them. */
export function cutsOf(text: string): fc.Arbitrary<Frame[]> {
  return fc.array(fc.nat({ max: text.length }), { maxLength: 40 }).chain((cuts) => {
    const ends = [...cuts.toSorted((left, right) => left - right), text.length];
    const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
    return fc
      .array(fc.boolean(), { minLength: pieces.length, maxLength: pieces.length })
      .map((beats) =>
        pieces.flatMap((piece, index) => [textFrame(["text", piece]), ...(beats[index] ? [textFrame()] : [])]),
      );
  });
}

/** Windows that see those words. */
export const windows = fc
  .tuple(fc.integer({ min: longestWord, max: 12 }), fc.integer({ min: 1, max: 20 }))
  .map(([overlap, more]): StreamWindow => ({ size: overlap + more, overlap }));

/** Puts a star in the place of each match. */
export function redactor(window: StreamWindow, pattern = boundedWords): CompiledGuardrail {
  return {
    phases: ["response"],
    window,
    inspect: ([span]) => edits(pattern.findAll(span?.text ?? ""), "*"),
  };
}

/** Refuses a text with a match. */
export function denier(window: StreamWindow, pattern = boundedWords): CompiledGuardrail {
  return {
    phases: ["response"],
    window,
    inspect: ([span]) =>
      pattern.test(span?.text ?? "") ? { type: "deny", reason: "Not that word." } : { type: "pass" },
  };
}

/** A verdict that replaces the ranges. */
export function edits(ranges: readonly (readonly [number, number])[], replacement: string) {
  if (ranges.length === 0) return { type: "pass" } as const;
  return {
    type: "rewrite",
    edits: ranges.map(([start, end]): SpanEdit => ({ span: 0, start, end, replacement })),
  } as const;
}

/** What `redactor` makes of a whole text. */
export function rewritten(text: string): string {
  return edited(
    text,
    boundedWords.findAll(text).map(([start, end]) => ({ span: 0, start, end, replacement: "*" })),
  );
}

/** The frames as an upstream gives them, one at a time. */
export async function* pull(frames: readonly Frame[], onPull: () => unknown = () => undefined): AsyncGenerator<Frame> {
  for (const frame of frames) {
    onPull();
    yield await Promise.resolve(frame);
  }
}

/** A stream and its guardrails. */
export function guards(attachments: readonly Attachment[], exchange: Exchange = buildExchange()): StreamGuards {
  return { exchange, operation: buildOperation({ stream: true }), attachments };
}

/** Reads a guarded stream to its end, whatever that is. */
export async function collect(
  frames: readonly Frame[] | AsyncIterable<Frame>,
  attachments: readonly Attachment[],
): Promise<{ passed: Frame[]; error: unknown; exchange: Exchange }> {
  const exchange = buildExchange();
  const passed: Frame[] = [];
  try {
    const source = Symbol.asyncIterator in frames ? frames : pull(frames);
    for await (const frame of guardStream(source, guards(attachments, exchange))) passed.push(frame);
    return { passed, error: undefined, exchange };
  } catch (error) {
    return { passed, error, exchange };
  }
}
