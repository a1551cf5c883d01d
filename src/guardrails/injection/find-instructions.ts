import { actionPatterns } from "./action-patterns.ts";
import type { InstructionKind, InstructionPattern } from "./instruction-pattern.ts";
import { overridePatterns } from "./override-patterns.ts";
import { plainWords } from "./plain-words.ts";
import { signPatterns } from "./sign-patterns.ts";

/** What of a text tries to steer a model, and how sure that is. */
export interface FoundInstructions {
  /** From 0 to 1: what each kind proves, taken together. */
  readonly score: number;
  /** The surest match of each kind. */
  readonly kinds: ReadonlyMap<InstructionKind, number>;
}

/** Asks all patterns. A kind counts once, with its surest match; kinds are taken as independent. */
export function findInstructions(text: string): FoundInstructions {
  const kinds = new Map<InstructionKind, number>();
  const words = plainWords(text);
  ask(signPatterns, text, kinds);
  ask(overridePatterns, words, kinds);
  ask(actionPatterns, words, kinds);
  let doubt = 1;
  for (const weight of kinds.values()) doubt *= 1 - weight;
  return { score: 1 - doubt, kinds };
}

function ask(patterns: readonly InstructionPattern[], text: string, kinds: Map<InstructionKind, number>): void {
  for (const { kind, weight, pattern } of patterns) {
    if ((kinds.get(kind) ?? 0) < weight && pattern.test(text)) kinds.set(kind, weight);
  }
}
