import { randomInt } from "node:crypto";
import type { Environment } from "../../core/environment.ts";
import type { McpPinSettings } from "../../core/mcp-pin-settings.ts";
import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpBackend, McpSubscription } from "../../mcp/backend.ts";
import type { PinBoard, PinPlace } from "../../mcp/pins/pin-board.ts";
import type { ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { ProbeTime, ProbeTimes } from "./probe-times.ts";
import { offeredLists, ownContext, readList } from "./read-lists.ts";

export interface PinRefreshParts {
  readonly place: PinPlace;
  readonly backend: McpBackend;
  readonly board: PinBoard;
  readonly clock: Clock;
  /** When the place was last looked at, kept over publishes. */
  readonly time: ProbeTime;
  /** A whole number below the given one; tests choose it. */
  readonly random?: (below: number) => number;
}

const firstWithinMs = 5_000;
const changedWithinMs = 1_000;
const longestMs = 60_000;

/**
 * Looks at all that a server offers soon after the start, when the server says that a list has changed, and at intervals;
 * the result ends that. Of several gateways the first one does it, at a moment that chance picks, and the others hear of
 * it. A server that does not answer is no news: what is known of it stays.
 */
export function startPinRefresh(parts: PinRefreshParts): () => void {
  const { place, backend, board, clock, time, random = randomInt } = parts;
  const cancellation = new Cancellation();
  let stopTimer = (): void => {};
  let listening: McpSubscription | undefined;

  const wait = (withinMs: number, leastMs = 0): void => {
    stopTimer();
    stopTimer = clock.after(leastMs + random(withinMs), () => void refresh());
  };
  const later = (): void => {
    const { refreshMs } = place.settings;
    time.set(clock.monotonic());
    wait(Math.ceil(refreshMs / 5), refreshMs);
  };
  const refresh = async (): Promise<void> => {
    later();
    try {
      await lookAtAll(parts, cancellation);
      board.refreshed(place);
      listening ??= await listen();
    } catch {
      // Away, or not for us: the next look comes, and every list that passes is looked at anyway.
    }
  };
  const listen = async (): Promise<McpSubscription | undefined> => {
    const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    const context = ownContext(ownerOf(place), cancellation, ({ method }) => {
      if (method.endsWith("/list_changed")) wait(changedWithinMs);
    });
    const subscription = await backend.listen(filter, context);
    const over = (): void => {
      listening = undefined;
    };
    subscription.ended.then(over, over);
    return Object.keys(subscription.accepted).length > 0 ? subscription : undefined;
  };

  const unheard = board.onRefreshed(place, later);
  const dueMs = (time.get() ?? Number.NEGATIVE_INFINITY) + place.settings.refreshMs - clock.monotonic();
  wait(firstWithinMs, Math.max(0, dueMs));
  return () => {
    stopTimer();
    unheard();
    listening?.close();
    cancellation.cancel(new GatewayError("client.closed", "The pins are not looked at any more."));
    time.release();
  };
}

/** The same for one environment of a server, for as long as its snapshot serves. */
export function keepLooking(
  { artifact, onRetire }: ProtocolCompileInput,
  { board, settings }: { readonly board: PinBoard; readonly settings: McpPinSettings },
  environment: Environment,
  backend: McpBackend,
  { clock, times }: { readonly clock: Clock; readonly times: ProbeTimes },
): void {
  const what = `${artifact.id}/pins/${environment}`;
  const place = { apiId: artifact.id, environment, settings };
  onRetire(what, startPinRefresh({ place, backend, board, clock, time: times.hold(what) }));
}

async function lookAtAll({ place, backend, board, clock }: PinRefreshParts, outer: Cancellation): Promise<void> {
  const cancellation = new Cancellation();
  const stop = clock.after(longestMs, () => cancellation.cancel(new GatewayError("upstream.timeout", "Too slow.")));
  const listener = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  outer.listen(listener);
  try {
    const context = ownContext(ownerOf(place), cancellation);
    const facts = await backend.facts(context);
    const { instructions } = facts;
    if (instructions !== undefined) board.look(place, "instructions", [{ kind: "instructions", instructions }]);
    for (const list of offeredLists) {
      const { entries, fault } = await readList(backend, facts, context, list);
      if (fault !== undefined) throw new GatewayError("upstream.invalid", fault);
      board.look(place, list.kind, entries);
    }
  } finally {
    stop();
    outer.ignore(listener);
  }
}

function ownerOf({ apiId, environment }: PinPlace): string {
  return `pins/${apiId}/${environment}`;
}
