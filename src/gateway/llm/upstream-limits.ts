import { retryAfterMs } from "../../kernel/retry-after.ts";
import type { CompiledProvider } from "../../pipeline/define-provider.ts";
import type { UpstreamResponse } from "../upstream.ts";

type Headers = UpstreamResponse["headers"];

/** What is left of a limit, and when it is whole again: names of OpenAI's, which many use, and of Anthropic's. */
const limits: readonly { readonly remaining: string; readonly reset: string }[] = [
  ...["requests", "tokens"].map((of) => ({
    remaining: `x-ratelimit-remaining-${of}`,
    reset: `x-ratelimit-reset-${of}`,
  })),
  ...["requests", "tokens", "input-tokens", "output-tokens"].map((of) => ({
    remaining: `anthropic-ratelimit-${of}-remaining`,
    reset: `anthropic-ratelimit-${of}-reset`,
  })),
];

/** Where a provider does not say when. */
const defaultRestMs = 10_000;

/**
 * Milliseconds until a provider's own limit has something left again, when this answer has used it up; undefined when it
 * has not, or nothing is told. A number that cannot be read counts as something left.
 */
export function limitRestMs(
  headers: Headers,
  { remainingTokensHeader }: Pick<CompiledProvider, "remainingTokensHeader">,
  nowMs: number,
): number | undefined {
  let longest: number | undefined;
  for (const { remaining, reset } of limits) {
    if (isUsedUp(headers[remaining])) longest = Math.max(longest ?? 0, resetMs(headers[reset], nowMs) ?? defaultRestMs);
  }
  if (remainingTokensHeader !== undefined && isUsedUp(headers[remainingTokensHeader])) longest ??= defaultRestMs;
  return longest;
}

/** How long a provider that has refused asks to be left alone; undefined where it does not ask. */
export function askedRestMs({ status, headers }: UpstreamResponse, nowMs: number): number | undefined {
  return status === 429 || status === 529 || status === 503 ? retryAfterMs(headers, nowMs) : undefined;
}

function isUsedUp(text: Headers[string]): boolean {
  return typeof text === "string" && /^\s*-?\d/.test(text) && Number(text) <= 0;
}

/** `6m0s`, `12ms` as Go writes durations, seconds by themselves, or a moment (RFC 3339). */
function resetMs(text: Headers[string], nowMs: number): number | undefined {
  if (typeof text !== "string") return undefined;
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
  }
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d{1,9}(\.\d{1,9})?(h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(count) * (unitsMs[unit ?? ""] ?? 0);
  }
  return total;
}

const unitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};
