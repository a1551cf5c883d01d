import type { Environment } from "../core/environment.ts";
import type { UpstreamHealth } from "../core/upstream-health.ts";
import type { Clock } from "../kernel/clock.ts";
import type { BreakerSettings } from "./adapter.ts";
import type { Breaker } from "./breaker.ts";
import type { RestBoard } from "./rest-board.ts";
import type { CompiledApi, Snapshot } from "./snapshot.ts";

/** The name under which the breaker and the watch know a target: its ids do not change when an API is published anew. */
export function targetKey(apiId: string, environment: Environment, targetId: string): string {
  return `${apiId}/${environment}/${targetId}`;
}

/** A breaker that also remembers when its targets last worked and failed, and tells the control plane. */
export interface UpstreamWatch extends Breaker, Disposable {
  /** From now on the targets of this snapshot are the ones to tell of; what others did is forgotten. */
  follow(snapshot: Snapshot): void;
  /**
   * Takes an active probe's result in: `failure` is undefined when the target answered. A success closes an open
   * breaker; a failure counts like a request's, but never makes a rest longer, for only requests can tell that it ended.
   */
  probed(target: string, failure: string | undefined, settings: BreakerSettings): void;
  /** The targets of the snapshot as they are now. */
  list(): readonly UpstreamHealth[];
}

export interface UpstreamWatchParts {
  readonly breaker: Breaker;
  readonly clock: Clock;
  /** Takes the whole list; when it rejects, the list is told again later. */
  report(upstreams: readonly UpstreamHealth[]): Promise<void>;
  /** What other gateways tell of the targets; each finds out for itself where it is absent. */
  readonly rests?: Pick<RestBoard, "follow"> | undefined;
  /** Milliseconds from a change of state until it is told; changes in between are told with it. 1,000 when absent. */
  readonly reportAfterMs?: number;
  /** The same for what changes with every request: when a target last worked or failed. 15,000 when absent. */
  readonly timesAfterMs?: number;
}

interface Seen {
  state: UpstreamHealth["state"];
  sinceMs: number | null;
  lastSuccessMs: number | null;
  lastFailure: UpstreamHealth["lastFailure"];
  lastProbe: UpstreamHealth["lastProbe"];
}

/** Watches over `breaker`. A result costs one look-up more; nothing leaves the process on a request's path. */
export function watchUpstreams(parts: UpstreamWatchParts): UpstreamWatch {
  const { breaker, clock, report, rests, reportAfterMs = 1_000, timesAfterMs = 15_000 } = parts;
  const seen = new Map<string, Seen>();
  let apis: readonly CompiledApi[] = [];
  let live: ReadonlySet<string> = new Set();
  const list = (): readonly UpstreamHealth[] => apis.flatMap((api) => healthOf(api, seen, breaker, clock));
  const tell = batched(clock, reportAfterMs, () => report(list()));
  const told = (isNews: boolean): void => tell.within(isNews ? reportAfterMs : timesAfterMs);

  const note: Breaker["note"] = (target, health, settings, more) => {
    breaker.note(target, health, settings, more);
    if (health === "unknown") return;
    const known = entryOf(seen, target);
    const isFirst = (health === "good" ? known.lastSuccessMs : known.lastFailure) === null;
    if (health === "good") known.lastSuccessMs = clock.now();
    else known.lastFailure = { atMs: clock.now(), code: more?.failure ?? "unknown" };
    const isChanged = noteState(known, breaker.view(target).state, clock);
    told(isFirst || isChanged);
  };
  const hear: Breaker["hear"] = (rest) => {
    if (!live.has(rest.target)) return;
    breaker.hear(rest);
    told(noteState(entryOf(seen, rest.target), breaker.view(rest.target).state, clock));
  };
  let following: Disposable | undefined;
  return {
    admits: (target, settings, model) => breaker.admits(target, settings, model),
    isEasing: (target, settings, model) => breaker.isEasing(target, settings, model),
    restMs: (target, model) => breaker.restMs(target, model),
    view: (target) => breaker.view(target),
    note,
    hear,
    list,
    follow(snapshot) {
      ({ apis } = snapshot);
      live = new Set(apis.flatMap((api) => targetsOf(api).map(({ key }) => key)));
      for (const key of seen.keys()) if (!live.has(key)) seen.delete(key);
      told(true);
      following ??= rests?.follow(hear); // not before there are targets to hear of
    },
    probed(target, failure, settings) {
      const isResting = breaker.view(target).state !== "closed";
      if (failure === undefined) note(target, "good", settings);
      else if (!isResting) note(target, "bad", settings, { failure });
      const known = entryOf(seen, target);
      const isChanged = known.lastProbe?.failure !== (failure ?? null);
      known.lastProbe = { atMs: clock.now(), failure: failure ?? null };
      told(isChanged);
    },
    [Symbol.dispose]() {
      following?.[Symbol.dispose]();
      tell.stop();
    },
  };
}

function entryOf(seen: Map<string, Seen>, target: string): Seen {
  const known = seen.get(target);
  if (known !== undefined) return known;
  const fresh: Seen = { state: "closed", sinceMs: null, lastSuccessMs: null, lastFailure: null, lastProbe: null };
  seen.set(target, fresh);
  return fresh;
}

/** Whether the state is another one than before. */
function noteState(entry: Seen, state: Seen["state"], clock: Clock): boolean {
  if (entry.state === state) return false;
  entry.state = state;
  entry.sinceMs = clock.now();
  return true;
}

function healthOf(
  api: CompiledApi,
  seen: ReadonlyMap<string, Seen>,
  breaker: Breaker,
  clock: Clock,
): readonly UpstreamHealth[] {
  const { production, sandbox } = api.protocol.upstreams;
  return targetsOf(api).flatMap(({ key, environment, target }) => {
    const entry = seen.get(key);
    // A sandbox that is the production upstream is told of when it has been used: its breaker is its own.
    if (entry === undefined && environment === "sandbox" && sandbox === production) return [];
    const { state, failures, restMs } = breaker.view(key);
    return {
      apiId: api.id,
      apiKind: api.kind,
      apiName: api.name,
      environment,
      target,
      state,
      failures,
      sinceMs: entry?.sinceMs ?? null,
      retryAtMs: state === "open" ? Math.ceil(clock.now() + restMs) : null,
      lastSuccessMs: entry?.lastSuccessMs ?? null,
      lastFailure: entry?.lastFailure ?? null,
      lastProbe: entry?.lastProbe ?? null,
    };
  });
}

function targetsOf({ id, protocol }: CompiledApi) {
  return (["production", "sandbox"] as const).flatMap((environment) =>
    protocol.upstreams[environment].targets.map((target) => ({
      key: targetKey(id, environment, target.id),
      environment,
      target: target.id,
    })),
  );
}

interface Batched {
  /** Calls in so many milliseconds at the latest. */
  within(ms: number): void;
  stop(): void;
}

/** Calls once for all that came in a span of time, never twice at a time, and again when it was rejected. */
function batched(clock: Clock, againAfterMs: number, call: () => Promise<void>): Batched {
  let due: { readonly atMs: number; cancel(): void } | undefined;
  let isCalling = false;
  let waitingMs = Number.POSITIVE_INFINITY; // what came during a call
  let isStopped = false;
  const within = (ms: number): void => {
    if (isStopped) return;
    if (isCalling) {
      waitingMs = Math.min(waitingMs, ms);
      return;
    }
    const atMs = clock.monotonic() + ms;
    if (due !== undefined && due.atMs <= atMs) return;
    due?.cancel();
    due = { atMs, cancel: clock.after(ms, () => void run()) };
  };
  const run = async (): Promise<void> => {
    due = undefined;
    isCalling = true;
    waitingMs = Number.POSITIVE_INFINITY;
    try {
      await call();
    } catch {
      waitingMs = Math.min(waitingMs, againAfterMs);
    }
    isCalling = false;
    if (Number.isFinite(waitingMs)) within(waitingMs);
  };
  return {
    within,
    stop() {
      isStopped = true;
      due?.cancel();
    },
  };
}
