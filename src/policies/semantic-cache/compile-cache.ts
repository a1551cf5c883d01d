import { inTime } from "../../kernel/in-time.ts";
import type { AnswerStore } from "../../pipeline/answer-keeping.ts";
import type { PolicyPlace, Recalled } from "../../pipeline/define-policy.ts";
import { editedByGuardrails } from "../../pipeline/edited-by-guardrails.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Outcome } from "../../pipeline/outcome.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { AskedQuestion } from "./ask-question.ts";
import { askQuestion } from "./ask-question.ts";
import type { CacheConfig } from "./cache-config.ts";
import { mayKeep } from "./cache-control.ts";
import { answerFinder } from "./find-answer.ts";
import type { HeardAnswer } from "./hear-answer.ts";
import { hearAnswer } from "./hear-answer.ts";
import { keptAnswer } from "./kept-answer.ts";
import { replayAnswer } from "./replay-answer.ts";

/** A cache at work. */
export interface AnswerCache {
  /** Looks for an answer and tells the exchange what came of it; where there is none, listens to the one that comes. */
  recall(exchange: Exchange, operation: Operation): Promise<Recalled>;
  /** Keeps what was heard, if it may be kept. */
  keep(exchange: Exchange, operation: Operation, outcome: Outcome): void;
}

interface Listening {
  readonly asked: AskedQuestion;
  /** In which it was asked; see `AnswerKeys`. */
  readonly generation: number;
  heard?: HeardAnswer;
}

/** A cache over `store`. Throws `config.invalid` for an embedder that cannot be used. */
export function compileCache(
  config: CacheConfig,
  { clock, log, embed }: Pick<PluginTools, "clock" | "log" | "embed">,
  store: AnswerStore,
  { place, mode }: PolicyPlace,
): AnswerCache {
  const embedder = config.match === "exact" ? undefined : embed(config.embedder);
  const threshold = config.threshold ?? embedder?.thresholds.cache ?? 1;
  const find = answerFinder({ store, threshold, deadlineMs: config.deadlineMs, clock, log, place });
  const listening = new WeakMap<Operation, Listening>();
  const isMonitor = mode === "monitor";

  return {
    async recall(exchange, operation) {
      const { keeping } = exchange.api.adapter;
      const startedMs = clock.monotonic();
      const asked = keeping && askQuestion(exchange, operation, keeping, { config, embedder });
      if (keeping === undefined || asked === undefined) return undefined;
      const tell = (said: Said): void =>
        tellExchange(exchange, { ...said, isMonitor, tookMs: clock.monotonic() - startedMs });
      if (typeof asked === "string") {
        tell({ outcome: "bypass", reason: asked });
        return undefined;
      }
      const found = await find(asked);
      if (found.answer === undefined) {
        const { reason, generation } = found;
        if (generation === undefined) {
          tell({ outcome: "bypass", reason });
          return undefined;
        }
        tell({ outcome: "miss", ...(reason !== undefined && { reason }) });
        const own: Listening = { asked, generation };
        listening.set(operation, own);
        return { type: "listen", heard: (answer) => listen(own, answer, config) };
      }
      const { answer, score } = found;
      const ageMs = Math.max(0, clock.now() - answer.storedAtMs);
      const savedTokens = answer.inputTokens + answer.outputTokens;
      tell({ outcome: "hit", ageMs, savedTokens, ...(score !== undefined && { score }) });
      if (!isMonitor) operation.usage = noUsage; // no model has read anything
      return { type: "respond", answer: replayAnswer(answer, keeping) };
    },
    keep(exchange, operation, outcome) {
      const { asked, heard, generation } = listening.get(operation) ?? {};
      const { keeping } = exchange.api.adapter;
      if (asked === undefined || generation === undefined || heard === undefined) return;
      if (keeping === undefined || outcome.type !== "answer") return;
      const answer = keptAnswer(heard, operation, keeping, config, clock.now());
      if (answer === undefined || editedByGuardrails(exchange)) return;
      const failed = (error: unknown): void => log.warn({ err: error, policy: place }, "an answer was not kept");
      const bounds = { entries: config.maxEntries, bytes: config.maxBytes };
      Promise.resolve(inTime(asked.vectors(), config.deadlineMs, clock))
        .catch(() => undefined) // then an equal question may still have it
        .then((alike) => store.put({ ...asked.keys, generation, alike }, answer, bounds))
        .catch(failed);
    },
  };
}

type Said = Omit<NonNullable<Exchange["cache"]>, "isMonitor" | "tookMs">;

function tellExchange(exchange: Exchange, decision: NonNullable<Exchange["cache"]>): void {
  exchange.cache = decision;
  if (decision.isMonitor) return;
  exchange.responseHeaders["x-gatehouse-cache"] = decision.outcome;
  if (decision.ageMs !== undefined) exchange.responseHeaders["age"] = String(Math.floor(decision.ageMs / 1_000));
}

function listen(own: Listening, answer: Answer, { scope, maxAnswerBytes }: CacheConfig): Answer {
  if (answer.status !== 200 || !mayKeep(answer.headers["cache-control"], scope === "shared")) return answer;
  const heard = hearAnswer(answer, maxAnswerBytes);
  own.heard = heard.heard;
  return heard.answer;
}

const noUsage: NonNullable<Operation["usage"]> = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  source: "actual",
};
