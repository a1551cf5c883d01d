import type { LimitDecision } from "./limiter.ts";

/** What a limit counts, as OpenAI's headers name it; money has no header of its own there. */
export type HeaderUnit = "requests" | "tokens";

/**
 * Tells the caller where it stands: in OpenAI's `x-ratelimit-*-requests` or `-tokens`, and in `x-ratelimit-limit`,
 * `-remaining` and `-reset` (seconds). Of several limits in that of the one that is nearest to its end; one that refuses
 * stands before all others.
 * @see https://platform.openai.com/docs/guides/rate-limits
 */
export function tellLimit(
  headers: Record<string, string>,
  unit: HeaderUnit,
  limit: number,
  { allowed, remaining, resetMs }: LimitDecision,
): void {
  if (isNearer(headers[`x-ratelimit-remaining-${unit}`], remaining, allowed)) {
    headers[`x-ratelimit-limit-${unit}`] = String(limit);
    headers[`x-ratelimit-remaining-${unit}`] = String(remaining);
    headers[`x-ratelimit-reset-${unit}`] = goDuration(resetMs);
  }
  const [toldLimit, told] = [headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]];
  const share = told === undefined ? undefined : String(Number(told) / Math.max(Number(toldLimit), 1));
  if (!isNearer(share, remaining / Math.max(limit, 1), allowed)) return;
  headers["x-ratelimit-limit"] = String(limit);
  headers["x-ratelimit-remaining"] = String(remaining);
  headers["x-ratelimit-reset"] = String(Math.ceil(resetMs / 1_000));
}

function isNearer(told: string | undefined, remaining: number, allowed: boolean): boolean {
  return !allowed || told === undefined || remaining < Number(told);
}

/** A duration as Go prints it, which is how OpenAI's clients expect it: `250ms`, `1.5s`, `6m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1_000) return whole === 0 ? "0s" : `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = `${(whole % 60_000) / 1_000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
