import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import { attach } from "../../test/kit/exchange.ts";
import { collect } from "../../test/kit/stream-guards.ts";
import { textFrame, textOf } from "../../test/kit/text-adapter.ts";
import { seededRandom } from "./random.ts";

/** In how many of these texts, in percent, a stream cut at random gets the verdict that the uncut one gets, edits included. */
export async function measureCuts(guard: CompiledGuardrail, texts: readonly string[], seed: number): Promise<number> {
  const random = seededRandom(seed);
  let same = 0;
  for (const text of texts) {
    const whole = await verdictOn([text], guard);
    const cuts = await verdictOn(cutAtRandom(text, random), guard);
    same += whole === cuts ? 1 : 0;
  }
  return (100 * same) / texts.length;
}

/** What a reader gets; of a refused stream only that it was refused, for how much was out before depends on the cuts. */
async function verdictOn(pieces: readonly string[], guard: CompiledGuardrail): Promise<string> {
  const frames = pieces.map((piece) => textFrame(["text", piece]));
  const { passed, error } = await collect(frames, [attach(guard)]);
  return error === undefined ? `passed ${textOf(passed)}` : "refused";
}

function cutAtRandom(text: string, random: () => number): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; ) {
    const to = from + 1 + Math.floor(random() * 12);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
