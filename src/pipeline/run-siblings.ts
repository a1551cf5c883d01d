import type { Clock } from "../kernel/clock.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Frame, FrameStream, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";

/** What has become of one operation of a batch. */
export interface Sibling {
  /** How it ended by itself. */
  readonly outcome: Outcome;
  readonly isStream: boolean;
  /** Whether that is its end: false for a stream that something cut off which befell the whole exchange. */
  readonly isOver: boolean;
  /** When the last of its stream came, on the monotonic clock; undefined before, and of what is no stream. */
  readonly endedMs: number | undefined;
  /** Bytes of the answer that are its own. */
  readonly responseBytes: number;
}

type Progress = { -readonly [Key in keyof Omit<Sibling, "outcome">]: Sibling[Key] };

const siblingsOf = new WeakMap<Exchange, { readonly outcomes: readonly Outcome[]; readonly progress: Progress[] }>();

/**
 * Runs all operations of an exchange side by side, each through its own steps, and joins their outcomes to the one that
 * the client gets. What breaks for one of them breaks for that one only.
 */
export async function runSiblings(
  exchange: Exchange,
  clock: Clock,
  run: (operation: Operation) => MaybePromise<Outcome>,
): Promise<Outcome> {
  const ended = await Promise.all(
    exchange.operations.map(async (operation): Promise<Outcome> => {
      try {
        return await run(operation);
      } catch (error) {
        return { type: "failed", error: toGatewayError(exchange.cancellation.reason ?? error) };
      }
    }),
  );
  const { join } = exchange.api.adapter;
  const [first] = ended;
  if (join === undefined && first !== undefined) return first;
  const progress = ended.map(progressOf);
  const outcomes = ended.map((outcome, place) => followed(exchange, outcome, progress[place], clock));
  siblingsOf.set(exchange, { outcomes, progress });
  return join?.(exchange, outcomes) ?? nothing;
}

/** What has become of the operation at that place among its siblings; undefined where there was no batch. */
export function siblingOf(exchange: Exchange, place: number): Sibling | undefined {
  const { outcomes, progress } = siblingsOf.get(exchange) ?? {};
  const [outcome, own] = [outcomes?.[place], progress?.[place]];
  return outcome && own && { ...own, outcome };
}

/** Tells, for the rows, that so many bytes of the joined answer are those of the operation at that place. */
export function siblingWrote(exchange: Exchange, place: number, bytes: number): void {
  const own = siblingsOf.get(exchange)?.progress[place];
  if (own !== undefined) own.responseBytes += bytes;
}

function progressOf(outcome: Outcome): Progress {
  const isStream = outcome.type === "answer" && outcome.answer.body.type === "stream";
  return { isStream, isOver: !isStream, endedMs: undefined, responseBytes: 0 };
}

function followed(exchange: Exchange, outcome: Outcome, own: Progress | undefined, clock: Clock): Outcome {
  if (own === undefined || outcome.type !== "answer" || outcome.answer.body.type !== "stream") return outcome;
  const { answer } = outcome;
  const frames = untilOver(exchange, outcome.answer.body.frames, own, clock);
  return { type: "answer", answer: { ...answer, body: { ...outcome.answer.body, frames } } };
}

async function* untilOver(exchange: Exchange, frames: FrameStream, own: Progress, clock: Clock): AsyncGenerator<Frame> {
  try {
    yield* frames;
    own.isOver = true;
  } catch (error) {
    own.isOver = !exchange.cancellation.isCancelled;
    throw error;
  } finally {
    own.endedMs = clock.monotonic();
  }
}

const nothing: Outcome = {
  type: "denied",
  deny: { type: "deny", code: "request.invalid", message: "The request holds nothing to do." },
  by: "decode",
};
