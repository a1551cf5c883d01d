import { Cancellation } from "../../../kernel/cancellation.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";

/** How long one call upstream may last: it ends with what it serves, and when the server is silent for too long. */
export interface CallScope {
  readonly cancellation: Cancellation;
  /** The server has said something. */
  heard(): void;
  /** Somebody else has the word (a person fills in a form): silence does not count until the result is called. */
  hold(): () => void;
  /** How many have the word now. */
  readonly holders: number;
  /** Lets go of the timer and of the outer cancellation; call it once. */
  end(): void;
}

/** A scope within `outer`. `idleMs` of silence cancel it with `upstream.timeout`; 0 never does. */
export function openCallScope(outer: Cancellation | undefined, clock: Clock, idleMs: number): CallScope {
  const cancellation = new Cancellation();
  const listener = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  if (outer?.isCancelled === true) cancellation.cancel(outer.reason);
  else outer?.listen(listener);
  let holds = 0;
  let heardMs = clock.monotonic();
  const check = (): void => {
    const restMs = heardMs + idleMs - clock.monotonic();
    if (holds > 0 || restMs > 0) stop = clock.after(holds > 0 ? idleMs : restMs, check);
    else cancellation.cancel(new GatewayError("upstream.timeout", "The MCP server fell silent."));
  };
  let stop = idleMs === 0 ? (): void => {} : clock.after(idleMs, check);
  return {
    cancellation,
    heard() {
      heardMs = clock.monotonic();
    },
    hold() {
      holds += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        holds -= 1;
        heardMs = clock.monotonic();
      };
    },
    get holders() {
      return holds;
    },
    end() {
      stop();
      outer?.ignore(listener);
    },
  };
}
