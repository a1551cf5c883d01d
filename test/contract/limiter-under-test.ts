import type {
  Charge,
  LimitDecision,
  Limiter,
  LimitRule,
  LimitStanding,
  Reservation,
} from "../../src/pipeline/limiter.ts";

/** A limiter that has counted nothing yet, and the hand on its clocks. */
export interface LimiterUnderTest {
  readonly limiter: Limiter;
  /** Another one on the same store, where there can be two; else the same. */
  readonly other: Limiter;
  /** What the limiter takes for the time of day, in milliseconds since the epoch. */
  now(): number;
  /** Lets time pass, on both clocks. */
  advance(ms: number): void | Promise<void>;
  /** Sets the time of day, and leaves the clock that never goes back. Undefined where nobody can. */
  readonly jump: ((ms: number) => void | Promise<void>) | undefined;
}

export interface LimiterContractOptions {
  open(): Promise<LimiterUnderTest>;
  /** How often each property is tried. */
  readonly runs?: number;
}

export const quotaWindowMs = 3_600_000;

/** A charge of a quota whose window has begun by the time of day; `windows` later ones where that is given. */
export function quotaCharge(
  { now }: Pick<LimiterUnderTest, "now">,
  parts: { key?: string; limit?: number; amount?: number; enforce?: boolean; windows?: number; windowMs?: number } = {},
): Charge & { readonly rule: Extract<LimitRule, { type: "quota" }> } {
  const { key = "q", limit = 10, amount = 1, windows = 0, windowMs = quotaWindowMs } = parts;
  const startsAtMs = (Math.floor(now() / windowMs) + windows) * windowMs;
  const rule = { type: "quota", limit, startsAtMs, windowMs } as const;
  return { key, rule, amount, ...(parts.enforce === undefined ? {} : { enforce: parts.enforce }) };
}

/** What a take of one charge says of it. */
export async function takeOne(limiter: Limiter, charge: Charge): Promise<LimitDecision & { held?: Reservation }> {
  const { decisions, reservation } = await limiter.take([charge]);
  const [decision] = decisions;
  if (decision === undefined || decisions.length !== 1) throw new Error("one charge has one decision");
  return reservation === undefined ? decision : { ...decision, held: reservation };
}

/** Takes one charge that is expected to fit. */
export async function hold(limiter: Limiter, ...charges: readonly Charge[]): Promise<Reservation> {
  const { reservation } = await limiter.take(charges);
  if (reservation === undefined) throw new Error("it was refused");
  return reservation;
}

/** How one counter stands. */
export async function standing(limiter: Limiter, charge: Charge): Promise<LimitStanding> {
  const [found] = await limiter.look([charge]);
  if (found === undefined) throw new Error("one charge has one standing");
  return found;
}
