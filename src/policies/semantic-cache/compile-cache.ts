import { inTime } from "../../kernel/in-time.ts";
import type { AnswerStore, KeptAnswer } from "../../pipeline/answer-keeping.ts";
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
import type { Flight } from "./flights.ts";
import { createFlights } from "./flights.ts";
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
  /** Equal questions wait for this one. */
  readonly flight: Flight | undefined;
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
  // What only watches makes nobody wait.
  const flights = config.coalesce === undefined || isMonitor ? undefined : createFlights(config.coalesce, clock);

  return {
    async recall(exchange, operation) {
      const { keeping } = exchange.api.adapter;
      const startedMs = clock.monotonic();
      const asked = keeping && askQuestion(exchange, operation, keeping, { config, embedder });
      if (keeping === undefined || asked === undefined) return undefined;
      const tell = (said: Said): void =>
        tellExchange(exchange, { ...said, isMonitor, tookMs: clock.monotonic() - startedMs });
      const give = (answer: KeptAnswer, how: Pick<Said, "score" | "reason">): Recalled => {
        const ageMs = Math.max(0, clock.now() - answer.storedAtMs);
        tell({ outcome: "hit", ageMs, savedTokens: answer.inputTokens + answer.outputTokens, ...how });
        if (!isMonitor) operation.usage = noUsage; // no model has read anything
        return { type: "respond", answer: replayAnswer(answer, keeping) };
      };
      const pass = (reason: string | undefined): Recalled => {
        tell({ outcome: "bypass", ...(reason !== undefined && { reason }) });
        return undefined;
      };
      if (typeof asked === "string") return pass(asked);
      const found = await find(asked);
      if (found.answer !== undefined)
        return give(found.answer, { ...(found.score !== undefined && { score: found.score }) });
      const { reason, generation } = found;
      if (generation === undefined) return pass(reason);
      // Who wants a fresh answer gets one of their own.
      const joined =
        reason === "fresh" ? undefined : flights?.join(flightKey(asked, generation), exchange.cancellation);
      const waited = joined instanceof Promise ? await joined : undefined;
      if (typeof waited === "object") return give(waited, { reason: "coalesced" });
      const why = waited ?? reason;
      tell({ outcome: "miss", ...(why !== undefined && { reason: why }) });
      const own: Listening = { asked, generation, flight: joined instanceof Promise ? undefined : joined };
      listening.set(operation, own);
      return { type: "listen", heard: (answer) => listen(own, answer, config) };
    },
    keep(exchange, operation, outcome) {
      const own = listening.get(operation);
      const { keeping } = exchange.api.adapter;
      if (own === undefined || keeping === undefined) return;
      const { asked, heard, generation, flight } = own;
      const isWhole = heard !== undefined && outcome.type === "answer" && !editedByGuardrails(exchange);
      let answer: KeptAnswer | undefined;
      try {
        answer = isWhole ? keptAnswer(heard, operation, keeping, config, clock.now()) : undefined;
      } finally {
        flight?.land(answer);
        if (answer === undefined) flight?.end();
      }
      if (answer === undefined) return;
      const kept = answer;
      const failed = (error: unknown): void => log.warn({ err: error, policy: place }, "an answer was not kept");
      const bounds = { entries: config.maxEntries, bytes: config.maxBytes };
      Promise.resolve(inTime(asked.vectors(), config.deadlineMs, clock))
        .catch(() => undefined) // then an equal question may still have it
        .then((alike) => store.put({ ...asked.keys, generation, alike }, kept, bounds))
        .catch(failed)
        .finally(() => flight?.end()); // and not before it can be found
    },
  };
}

/** Those who ask after a purge do not wait for what was asked before it. */
function flightKey({ keys }: AskedQuestion, generation: number): string {
  return `${generation} ${keys.exact}`;
}

type Said = Omit<NonNullable<Exchange["cache"]>, "isMonitor" | "tookMs">;

function tellExchange(exchange: Exchange, decision: NonNullable<Exchange["cache"]>): void {
  exchange.cache = decision;
  if (decision.isMonitor) return;
  exchange.responseHeaders["x-gatehouse-cache"] = decision.outcome;
  if (decision.ageMs !== undefined) exchange.responseHeaders["age"] = String(Math.floor(decision.ageMs / 1_000));
}

function listen(own: Listening, answer: Answer, { scope, maxAnswerBytes }: CacheConfig): Answer {
  if (answer.status !== 200 || !mayKeep(answer.headers["cache-control"], scope === "shared")) {
    own.flight?.land(undefined); // nobody need wait to its end
    return answer;
  }
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
