import { stemWords } from "../../embedding/stem-words.ts";
import type { AnswerKeeping, AnswerKeys } from "../../pipeline/answer-keeping.ts";
import { editedByGuardrails } from "../../pipeline/edited-by-guardrails.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { limitSubject } from "../../pipeline/limit-subject.ts";
import type { TextEmbedder } from "../../pipeline/plugin.ts";
import type { CacheConfig } from "./cache-config.ts";
import { cacheWish } from "./cache-control.ts";
import { questionKeys } from "./question-keys.ts";

/** A question that a cache may answer. */
export interface AskedQuestion {
  readonly keys: Omit<AnswerKeys, "alike" | "generation">;
  /** How old an answer may be; any age where undefined. */
  readonly maxAgeMs: number | undefined;
  /** What is compared by meaning, made once and when first asked for; undefined where there is nothing. */
  vectors(): Promise<AnswerKeys["alike"]>;
}

export interface AskRules {
  readonly config: CacheConfig;
  /** Undefined where nothing is compared by meaning. */
  readonly embedder: TextEmbedder | undefined;
}

/**
 * What the operation asks of a cache; in one word why the cache has no business with it; undefined where its answers are
 * never kept.
 */
export function askQuestion(
  exchange: Exchange,
  operation: Operation,
  keeping: AnswerKeeping,
  { config, embedder }: AskRules,
): AskedQuestion | string | undefined {
  const question = keeping.question(exchange, operation);
  if (question === undefined || typeof question === "string") return question;
  const { noStore, maxAgeMs } = cacheWish(exchange.inbound.headers);
  if (noStore) return "no-store";
  const subject = subjectOf(exchange, config.scope);
  if (subject === undefined) return "no-caller";
  if (question.isCallersOwn && config.scope !== "key") return "callers-own";
  if (editedByGuardrails(exchange)) return "edited";
  const { api, principal, inbound } = exchange;
  const headers = config.headers.map((name) => inbound.headers[name] ?? null);
  const domain = [api.id, principal?.environment ?? "production", subject, headers];
  const { exact, group, compared } = questionKeys(question, {
    domain,
    mostTurns: config.turns,
    isBagOfWords: embedder?.isBagOfWords === true,
  });
  let made: Promise<AnswerKeys["alike"]> | undefined;
  return {
    keys: { apiId: api.id, exact },
    maxAgeMs,
    vectors() {
      made ??= embedder === undefined || group === undefined ? nothing : alike(group, compared, embedder);
      return made;
    },
  };
}

const nothing = Promise.resolve(undefined);

async function alike(group: string, compared: readonly string[], embedder: TextEmbedder): Promise<AnswerKeys["alike"]> {
  const vectors = await embedder.embed(compared);
  const known = vectors.filter((vector) => vector !== undefined);
  // A text without meaning to the model is like no other, so that only an equal one is.
  if (known.length < compared.length) return undefined;
  const stems = embedder.isBagOfWords === true ? { stems: compared.flatMap((text) => stemWords(text)) } : {};
  return { group: `${group} ${embedder.modelId}`, vectors: known, ...stems };
}

function subjectOf(exchange: Exchange, scope: CacheConfig["scope"]): string | undefined {
  if (scope === "shared") return scope;
  const { principal } = exchange;
  if (principal === undefined || principal.type === "anonymous") return undefined;
  return limitSubject(exchange, scope);
}
