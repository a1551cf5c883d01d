import { toGatewayError } from "../../kernel/errors.ts";
import { inTime } from "../../kernel/in-time.ts";
import type { AnswerStore, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { AskedQuestion } from "./ask-question.ts";

/**
 * The answer that is given, with the score of its question where that was not equal; or why there is none, if it is told,
 * and the generation to keep one in. There is no generation where the store could not be asked.
 */
export type FoundAnswer =
  | { readonly answer: KeptAnswer; readonly score?: number }
  | {
      readonly answer: undefined;
      readonly reason: "fresh" | "deadline" | "failed" | undefined;
      readonly generation: number;
    }
  | { readonly answer: undefined; readonly reason: "store"; readonly generation: undefined };

export interface FinderParts extends Pick<PluginTools, "clock" | "log"> {
  readonly store: AnswerStore;
  readonly threshold: number;
  readonly deadlineMs: number;
  readonly place: string;
}

/** Looks for an answer, to the equal question before all others. What fails or takes too long is none; nothing is thrown. */
export function answerFinder(parts: FinderParts): (asked: AskedQuestion) => Promise<FoundAnswer> {
  const { clock, log, deadlineMs, place } = parts;
  return async (asked) => {
    let generation: number | undefined;
    try {
      const found = find(asked, parts, (told) => {
        generation = told;
      });
      return await inTime(found, deadlineMs, clock);
    } catch (error) {
      const { code } = toGatewayError(error);
      const isAway = code === "store.unavailable"; // which is told once, by its connection
      if (!isAway) log.warn({ err: error, policy: place }, "a cache could not be asked");
      if (isAway || generation === undefined) return { answer: undefined, reason: "store", generation: undefined };
      return { answer: undefined, reason: code === "upstream.timeout" ? "deadline" : "failed", generation };
    }
  };
}

async function find(
  { keys, maxAgeMs, vectors }: AskedQuestion,
  { store, clock, threshold }: FinderParts,
  tell: (generation: number) => void,
): Promise<FoundAnswer> {
  const isFresh = maxAgeMs === 0;
  const notBeforeMs = maxAgeMs === undefined ? 0 : isFresh ? Number.POSITIVE_INFINITY : clock.now() - maxAgeMs;
  const asked = store.exact(keys, notBeforeMs);
  const { generation, answer } = asked instanceof Promise ? await asked : asked;
  tell(generation);
  if (isFresh) return { answer: undefined, reason: "fresh", generation };
  if (answer !== undefined) return { answer };
  const alike = await vectors();
  const nearest = alike && (await store.nearest({ apiId: keys.apiId, ...alike }, { threshold, notBeforeMs }));
  return nearest ?? { answer: undefined, reason: undefined, generation };
}
