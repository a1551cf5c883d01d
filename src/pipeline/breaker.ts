import type { Clock } from "../kernel/clock.ts";
import type { BreakerSettings } from "./adapter.ts";
import type { TargetRest } from "./rest-board.ts";

/**
 * Keeps requests away from targets that fail or ask for a rest, one state per target, and per model where the target
 * serves several (`model`); a slow or dead one harms no other.
 */
export interface Breaker {
  /** Whether a request may go to the target now. After the rest, one at a time may try whether it has recovered. */
  admits(target: string, settings: BreakerSettings, model?: string): boolean;
  /**
   * Whether a target that has just recovered would rather have this request go elsewhere: its share grows from nothing to
   * all within `rampMs`. Asked once for each request, which may still go there when there is nowhere else.
   */
  isEasing(target: string, settings: BreakerSettings, model?: string): boolean;
  /** Takes the result of a try into account; `unknown` frees a trial and changes nothing else. */
  note(target: string, health: "good" | "bad" | "unknown", settings: BreakerSettings, more?: TryNote): void;
  /**
   * Takes over what another gateway tells: a rest, after which this gateway tries for itself, or the end of one that was
   * taken over (`restMs` 0). What was seen here stands: a rest of its own ends by a trial of its own.
   */
  hear(rest: TargetRest): void;
  /** Milliseconds until the target may be tried again; 0 when it may be now. */
  restMs(target: string, model?: string): number;
  /** What is remembered of the target now, of the worst of its models. `half-open`: the next request is its trial, or one is under way. */
  view(target: string): BreakerView;
}

/** What else is known of a try. */
export interface TryNote {
  /** What was bad, in a word: an error code, or a status. */
  readonly failure?: string | undefined;
  readonly model?: string | undefined;
  /** The target asked to be left alone for so long: it is, up to `longestRestMs`, whether it has failed before or not. */
  readonly restMs?: number | undefined;
}

export interface BreakerView {
  readonly state: "closed" | "open" | "half-open";
  /** Failures in a row while closed; 0 when none, and when open. */
  readonly failures: number;
  /** Milliseconds until it may be tried again; 0 when it is not open. */
  readonly restMs: number;
}

type State =
  | { readonly type: "closed"; readonly failures: number }
  | OpenState
  /** Recovered; `credit` adds up its share of the requests. */
  | { readonly type: "easing"; readonly sinceMs: number; credit: number };

interface OpenState {
  readonly type: "open";
  readonly untilMs: number;
  /** Somebody is trying whether the target has recovered, and the others wait. */
  readonly trial: boolean;
  /** The target wants the rest itself. */
  readonly asked: boolean;
  /** Another gateway has told of it, and nothing bad was seen here. */
  readonly heard: boolean;
}

const healthy: State = { type: "closed", failures: 0 };
const noModel = "";
/** Names of models come from clients. The one that was ill first is forgotten first. */
const mostModels = 1_000;
const defaultLongestRestMs = 300_000;

/**
 * All closed at the beginning. A target that works is not remembered, so states are as few as failing targets. `tell`
 * hears of each rest that begins here, and of the end (`restMs` 0) of each that a request has ended.
 */
export function createBreaker(clock: Clock, tell: (rest: TargetRest) => void = () => {}): Breaker {
  const states = createStates();
  const opened = (forMs: number, { asked = false, heard = false }): OpenState => ({
    type: "open",
    untilMs: clock.monotonic() + forMs,
    trial: false,
    asked,
    heard,
  });
  const open = (target: string, model: string, restMs: number, asked: boolean): void => {
    states.set(target, model, opened(restMs, { asked }));
    tell({ target, model, restMs, asked });
  };
  const restOf = (state: State): number => (state.type === "open" ? Math.max(0, state.untilMs - clock.monotonic()) : 0);

  const noteGood = (target: string, model: string, { rampMs = 0 }: BreakerSettings): void => {
    const state = states.get(target, model);
    if (state === healthy || state.type === "easing") return;
    // An answer to a request that was under way before says nothing against a rest that was asked for.
    if (state.type === "open" && state.asked && !state.trial) return;
    if (state.type === "open" && rampMs > 0) {
      states.set(target, model, { type: "easing", sinceMs: clock.monotonic(), credit: 0 });
    } else states.delete(target, model);
    if (state.type === "open") tell({ target, model, restMs: 0, asked: false });
  };
  const noteBad = (target: string, model: string, { failures, openMs }: BreakerSettings): void => {
    const state = states.get(target, model);
    const count = state.type === "closed" ? state.failures + 1 : failures;
    const isLonger = restOf(state) > openMs; // a rest that was asked for is not made shorter
    if (count < failures) states.set(target, model, { type: "closed", failures: count });
    else if (!isLonger || (state.type === "open" && state.trial)) open(target, model, openMs, false);
  };
  return {
    admits(target, { failures, openMs }, model = noModel) {
      const state = states.get(target, model);
      if (state.type !== "open" || failures === 0) return true;
      if (clock.monotonic() < state.untilMs) return false;
      // The trial is the one that asked; if it never reports, the next may ask after another rest.
      states.set(target, model, { ...state, untilMs: clock.monotonic() + openMs, trial: true });
      return true;
    },
    isEasing(target, { rampMs = 0 }, model = noModel) {
      const state = states.get(target, model);
      if (state.type !== "easing") return false;
      const share = rampMs === 0 ? 1 : (clock.monotonic() - state.sinceMs) / rampMs;
      if (share >= 1) {
        states.delete(target, model);
        return false;
      }
      state.credit += share;
      if (state.credit < 1) return true;
      state.credit -= 1;
      return false;
    },
    note(target, health, settings, { model = noModel, restMs = 0 } = {}) {
      if (settings.failures === 0) return;
      const longest = Math.min(restMs, settings.longestRestMs ?? defaultLongestRestMs);
      const state = states.get(target, model);
      const isTrial = state.type === "open" && state.trial;
      if (longest > 0 && (isTrial || longest >= restOf(state))) open(target, model, longest, true);
      else if (longest > 0) return;
      else if (health === "good") noteGood(target, model, settings);
      else if (health === "bad") noteBad(target, model, settings);
      else if (isTrial) states.set(target, model, { ...state, untilMs: clock.monotonic(), trial: false });
    },
    hear({ target, model, restMs, asked }) {
      const state = states.get(target, model);
      if (state.type === "open" && (!state.heard || state.trial)) return;
      if (restMs > 0) states.set(target, model, opened(restMs, { asked, heard: true }));
      else if (state.type === "open") states.delete(target, model);
    },
    restMs: (target, model = noModel) => restOf(states.get(target, model)),
    view(target) {
      let worst: BreakerView = { state: "closed", failures: 0, restMs: 0 };
      for (const state of states.of(target)) {
        const own = viewOf(state, clock.monotonic());
        if (severity(own) > severity(worst)) worst = own;
      }
      return worst;
    },
  };
}

function viewOf(state: State, nowMs: number): BreakerView {
  if (state.type !== "open")
    return { state: "closed", failures: state.type === "closed" ? state.failures : 0, restMs: 0 };
  const restMs = Math.max(0, state.untilMs - nowMs);
  return { state: state.trial || restMs === 0 ? "half-open" : "open", failures: 0, restMs };
}

function severity({ state, failures }: BreakerView): number {
  return state === "open" ? 2_000_000 : state === "half-open" ? 1_000_000 : failures;
}

/** States by target and model; `healthy` for whoever is not there. */
function createStates() {
  const targets = new Map<string, Map<string, State>>();
  return {
    get: (target: string, model: string): State => targets.get(target)?.get(model) ?? healthy,
    of: (target: string): Iterable<State> => targets.get(target)?.values() ?? [],
    set(target: string, model: string, state: State): void {
      const models = targets.get(target) ?? new Map<string, State>();
      targets.set(target, models);
      models.set(model, state);
      if (models.size <= mostModels) return;
      for (const oldest of models.keys()) {
        models.delete(oldest);
        return;
      }
    },
    delete(target: string, model: string): void {
      const models = targets.get(target);
      models?.delete(model);
      if (models?.size === 0) targets.delete(target);
    },
  };
}
