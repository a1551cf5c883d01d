import type { AlertSpec } from "./alert.ts";

/** How an alert stands. `pending`: its condition holds, and not for long enough yet. */
export type AlertState = "ok" | "pending" | "firing";

/** What is remembered of an alert between two looks. */
export interface AlertStanding {
  readonly state: AlertState;
  /** Since when it stands so. */
  readonly sinceMs: number;
  /** Since when it is back, while it is firing; null while it is not. */
  readonly calmSinceMs: number | null;
  /** When it was told last that it fires; null before the first time. */
  readonly toldAtMs: number | null;
}

/** What one look found. */
export interface AlertFinding {
  readonly isBreached: boolean;
  /** Back beyond `resolveAt`. Never together with `isBreached`. */
  readonly isBack: boolean;
}

/** What became of it, and what is to be noted in the history. */
export interface AlertStep {
  readonly standing: AlertStanding;
  readonly event: "fired" | "resolved" | undefined;
  /** False within the cool-down, for the firing and its end. */
  readonly isTold: boolean;
}

/** One step of an alert. Fires after `forSeconds` of breach, and is over after `resolveAfterSeconds` of being back. */
export function stepAlert(
  spec: Pick<AlertSpec, "forSeconds" | "resolveAfterSeconds" | "cooldownSeconds">,
  before: AlertStanding,
  { isBreached, isBack }: AlertFinding,
  nowMs: number,
): AlertStep {
  if (before.state === "firing") return whileFiring(spec, before, isBack, nowMs);
  if (!isBreached) return quiet(before.state === "ok" ? before : { ...before, state: "ok", sinceMs: nowMs });
  const sinceMs = before.state === "pending" ? before.sinceMs : nowMs;
  if (nowMs - sinceMs < spec.forSeconds * 1_000) return quiet({ ...before, state: "pending", sinceMs });
  const isTold = before.toldAtMs === null || nowMs - before.toldAtMs >= spec.cooldownSeconds * 1_000;
  const toldAtMs = isTold ? nowMs : before.toldAtMs;
  return { standing: { state: "firing", sinceMs: nowMs, calmSinceMs: null, toldAtMs }, event: "fired", isTold };
}

function whileFiring(
  { resolveAfterSeconds }: Pick<AlertSpec, "resolveAfterSeconds">,
  before: AlertStanding,
  isBack: boolean,
  nowMs: number,
): AlertStep {
  if (!isBack) return quiet({ ...before, calmSinceMs: null });
  const calmSinceMs = before.calmSinceMs ?? nowMs;
  if (nowMs - calmSinceMs < resolveAfterSeconds * 1_000) return quiet({ ...before, calmSinceMs });
  const isTold = before.toldAtMs !== null && before.toldAtMs === before.sinceMs; // who was told that it fires, hears its end
  return { standing: { ...before, state: "ok", sinceMs: nowMs, calmSinceMs: null }, event: "resolved", isTold };
}

function quiet(standing: AlertStanding): AlertStep {
  return { standing, event: undefined, isTold: false };
}
