import type { Clock } from "../kernel/clock.ts";
import type { BreakerSettings } from "./adapter.ts";

/** Keeps requests away from targets that fail, one state per target; a slow or dead one harms no other. */
export interface Breaker {
  /** Whether a request may go to the target now. After the rest, one at a time may try whether it has recovered. */
  admits(target: string, settings: BreakerSettings): boolean;
  /**
   * Takes the result of a try into account; `unknown` frees a trial and changes nothing else. `failure` says in a word
   * what was bad: an error code, or a status.
   */
  note(target: string, health: "good" | "bad" | "unknown", settings: BreakerSettings, failure?: string): void;
  /** Milliseconds until the target may be tried again; 0 when it may be now. */
  restMs(target: string): number;
  /** What is remembered of the target now. `half-open` is open with the next request as its trial, or a trial under way. */
  view(target: string): BreakerView;
}

export interface BreakerView {
  readonly state: "closed" | "open" | "half-open";
  /** Failures in a row while closed; 0 when none, and when open. */
  readonly failures: number;
}

type State =
  | { readonly type: "closed"; readonly failures: number }
  /** `trial`: somebody is trying whether the target has recovered, and the others wait. */
  | { readonly type: "open"; readonly untilMs: number; readonly trial: boolean };

const healthy: State = { type: "closed", failures: 0 };

/** All closed at the beginning. A target that works is not remembered, so states are as few as failing targets. */
export function createBreaker(clock: Clock): Breaker {
  const states = new Map<string, State>();
  return {
    admits(target, { failures, openMs }) {
      const state = states.get(target);
      if (state === undefined || state.type === "closed" || failures === 0) return true;
      if (clock.monotonic() < state.untilMs) return false;
      // The trial is the one that asked; if it never reports, the next may ask after another rest.
      states.set(target, { type: "open", untilMs: clock.monotonic() + openMs, trial: true });
      return true;
    },
    note(target, health, { failures, openMs }) {
      const state = states.get(target) ?? healthy;
      if (failures === 0) return;
      if (health === "unknown") {
        if (state.type === "open" && state.trial)
          states.set(target, { ...state, untilMs: clock.monotonic(), trial: false });
        return;
      }
      if (health === "good") {
        if (state !== healthy) states.delete(target);
        return;
      }
      const count = state.type === "closed" ? state.failures + 1 : failures;
      const isOpen = count >= failures;
      states.set(
        target,
        isOpen
          ? { type: "open", untilMs: clock.monotonic() + openMs, trial: false }
          : { type: "closed", failures: count },
      );
    },
    restMs(target) {
      const state = states.get(target);
      return state?.type === "open" ? Math.max(0, state.untilMs - clock.monotonic()) : 0;
    },
    view(target) {
      const state = states.get(target) ?? healthy;
      if (state.type === "closed") return { state: "closed", failures: state.failures };
      const isTried = state.trial || clock.monotonic() >= state.untilMs;
      return { state: isTried ? "half-open" : "open", failures: 0 };
    },
  };
}
