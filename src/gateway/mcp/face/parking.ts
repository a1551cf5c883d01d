import { randomBytes } from "node:crypto";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpCall } from "../../../mcp/backend.ts";
import type { RequestStates } from "../../../mcp/request-state.ts";
import type { FaceCall, Question } from "./face-call.ts";

/** How long and how many calls of one upstream may wait for input. */
export interface ParkLimits {
  readonly park: boolean;
  readonly parkMs: number;
  readonly maxParked: number;
}

/** A call that waits upstream while its client is away to get input, and what it waits for. */
export interface ParkedCall {
  readonly call: FaceCall;
  readonly questions: ReadonlyMap<string, Question>;
}

/** Calls of the sessions' era whose clients come back for them, by the `requestState` that they were given. */
export interface Parking {
  /** Keeps the call and gives the state to come back with. Throws `limit.concurrency` when the place is full. */
  park(parked: ParkedCall, owner: string, place: string, limits: ParkLimits): string;
  /** Whether a `requestState` looks like one that was given here. */
  isOurs(state: string): boolean;
  /** The call again, once. Undefined for a state that is not good (any more) for this request of this owner. */
  resume(state: string, owner: string, request: McpCall): ParkedCall | undefined;
}

interface Place {
  readonly parked: ParkedCall;
  readonly place: string;
  cancelTimer(): void;
}

/** The calls that wait in this process: whoever comes back to another one finds nothing. */
export function createParking(clock: Clock, states: RequestStates): Parking {
  const tickets = new Map<string, Place>();
  const counts = new Map<string, number>();

  const leave = (ticket: string): Place | undefined => {
    const found = tickets.get(ticket);
    if (found === undefined) return undefined;
    tickets.delete(ticket);
    found.cancelTimer();
    const left = (counts.get(found.place) ?? 1) - 1;
    if (left > 0) counts.set(found.place, left);
    else counts.delete(found.place);
    return found;
  };
  return {
    isOurs: (state) => states.isOurs(state),
    park(parked, owner, place, { parkMs, maxParked }) {
      const count = counts.get(place) ?? 0;
      if (count >= maxParked) {
        throw new GatewayError("limit.concurrency", "Too many calls wait for input of their clients; try again later.");
      }
      const ticket = randomBytes(16).toString("base64url");
      const cancelTimer = clock.after(parkMs, () => {
        leave(ticket);
        parked.call.cancel(
          new GatewayError("upstream.timeout", "The client did not come back with its input in time."),
        );
      });
      tickets.set(ticket, { parked, place, cancelTimer });
      counts.set(place, count + 1);
      parked.call.detach();
      return states.seal({ ticket, expiresAtMs: clock.now() + parkMs }, owner, parked.call.request);
    },
    resume(text, owner, request) {
      const state = states.open(text, owner, request);
      if (state === undefined || state.expiresAtMs <= clock.now()) return undefined;
      return leave(state.ticket)?.parked;
    },
  };
}
