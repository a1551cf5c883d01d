import { toGatewayError } from "../../kernel/errors.ts";
import { inTime } from "../../kernel/in-time.ts";
import type { AnswerStore, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { AskedQuestion } from "./ask-question.ts";

/** The answer that is given, with the score of its question where that was not equal; or why there is none, if it is told. */
export type FoundAnswer =
  | { readonly answer: KeptAnswer; readonly score?: number }
  | { readonly answer: undefined; readonly reason: "fresh" | "deadline" | "failed" | undefined };

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
    if (asked.maxAgeMs === 0) return { answer: undefined, reason: "fresh" };
    try {
      return await inTime(find(asked, parts), deadlineMs, clock);
    } catch (error) {
      log.warn({ err: error, policy: place }, "a cache could not be asked");
      const isLate = toGatewayError(error).code === "upstream.timeout";
      return { answer: undefined, reason: isLate ? "deadline" : "failed" };
    }
  };
}

async function find(
  { keys, maxAgeMs, vectors }: AskedQuestion,
  { store, clock, threshold }: FinderParts,
): Promise<FoundAnswer> {
  const notBeforeMs = maxAgeMs === undefined ? 0 : clock.now() - maxAgeMs;
  const exact = await store.exact(keys, notBeforeMs);
  if (exact !== undefined) return { answer: exact };
  const alike = await vectors();
  const nearest = alike && (await store.nearest({ apiId: keys.apiId, ...alike }, { threshold, notBeforeMs }));
  return nearest ?? { answer: undefined, reason: undefined };
}
