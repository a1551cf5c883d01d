import type { TokenDemand } from "./adapter.ts";

/** What an operation is expected to use, before it has. */
export interface TokenEstimates {
  /**
   * Tokens of a prompt of that API and model, as it was sent: what nine in ten lately had per byte of text, or a third of a
   * token.
   */
  promptTokens(apiId: string, model: string, demand: TokenDemand): number;
  /** Tokens that the provider adds of what it keeps: what nine in ten such prompts lately had in all; 4,000 before ten. */
  keptTokens(apiId: string, model: string, demand: TokenDemand): number;
  /** Tokens that nine in ten answers of that API and model have stayed below lately; undefined before ten answers. */
  answerTokens(apiId: string, model: string): number | undefined;
  /** Takes in what an operation has really used. */
  note(apiId: string, model: string, demand: TokenDemand, used: { inputTokens: number; outputTokens: number }): void;
}

/**
 * Learns from what upstreams tell. Per API and model two quantiles are followed by small steps, so nothing of a request
 * is kept; at most 5,000 pairs, those that were learnt first go first. Counting is left to the upstream: taking a prompt
 * apart into tokens would cost more than the whole way through the gateway.
 */
export function createTokenEstimates(): TokenEstimates {
  const known = new Map<string, Learnt>();
  const find = (apiId: string, model: string): Learnt | undefined => known.get(`${apiId} ${model}`);
  const keptTokens = (apiId: string, model: string, { isPartlyKept = false }: TokenDemand): number => {
    if (!isPartlyKept) return 0;
    const learnt = find(apiId, model);
    return learnt === undefined || learnt.keptPrompts < enough ? firstKept : Math.ceil(learnt.keptTokens);
  };
  return {
    keptTokens,
    promptTokens(apiId, model, { textBytes, mediaTokens }) {
      const learnt = find(apiId, model);
      const perByte = learnt === undefined || learnt.prompts < enough ? firstGuess : learnt.tokensPerByte * margin;
      return Math.ceil(textBytes * Math.min(Math.max(perByte, least), 1) - rounding) + mediaTokens;
    },
    answerTokens(apiId, model) {
      const learnt = find(apiId, model);
      return learnt === undefined || learnt.answers < enough ? undefined : Math.ceil(learnt.answerTokens);
    },
    note(apiId, model, demand, { inputTokens, outputTokens }) {
      if (model.length > longestModel) return;
      const learnt = find(apiId, model) ?? remember(known, `${apiId} ${model}`);
      if (outputTokens > 0) {
        learnt.answerTokens = follow(learnt.answerTokens, outputTokens, learnt.answers, 1);
        learnt.answers += 1;
      }
      if (demand.isPartlyKept === true) {
        learnt.keptTokens = follow(learnt.keptTokens, inputTokens, learnt.keptPrompts, 1);
        learnt.keptPrompts += 1;
        return; // what is kept says nothing about the text that was sent
      }
      if (demand.mediaTokens > 0 || demand.textBytes === 0) return; // what pictures take says nothing about text
      learnt.tokensPerByte = follow(learnt.tokensPerByte, inputTokens / demand.textBytes, learnt.prompts, 0.001);
      learnt.prompts += 1;
    },
  };
}

interface Learnt {
  prompts: number;
  tokensPerByte: number;
  keptPrompts: number;
  keptTokens: number;
  answers: number;
  answerTokens: number;
}

const enough = 10;
const quantile = 0.9;
/** Tokens per byte: English has a quarter, source code and most other scripts up to a third. */
const firstGuess = 0.34;
/** A few turns of a conversation. */
const firstKept = 4_000;
const least = 0.05;
const margin = 1.1;
/** What a product of doubles may lie above the whole number that it is. */
const rounding = 0.001;
const mostPairs = 5_000;
const longestModel = 256;

/** One step of a quantile that is followed: up by much at what lies above, down by little at what lies below. */
function follow(estimate: number, seen: number, count: number, leastStep: number): number {
  if (count < enough) return Math.max(estimate, seen);
  const step = Math.max(estimate * 0.1, leastStep);
  return seen > estimate ? estimate + step * quantile : Math.max(estimate - step * (1 - quantile), 0);
}

function remember(known: Map<string, Learnt>, key: string): Learnt {
  const [oldest] = known.size < mostPairs ? [] : known.keys();
  if (oldest !== undefined) known.delete(oldest);
  const learnt = { prompts: 0, tokensPerByte: 0, keptPrompts: 0, keptTokens: 0, answers: 0, answerTokens: 0 };
  known.set(key, learnt);
  return learnt;
}
