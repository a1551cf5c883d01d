import type { McpLimits } from "../../core/mcp-limits.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { GatewayError } from "../../kernel/errors.ts";
import type { Answer, Frame } from "../../pipeline/exchange.ts";
import { overLimit } from "./over-limit.ts";

/** How many streams of news each caller has open at this gateway. */
export interface StreamPlaces {
  /**
   * What `open` answers, as a stream that ends when it has been open or silent for too long. Throws `limit.concurrency`,
   * and opens nothing, where the owner has all the streams that one may have.
   */
  hold(owner: string, limits: McpLimits, open: () => Promise<Answer>): Promise<Answer>;
  /** Streams that an owner has open. */
  openOf(owner: string): number;
}

/** None is open yet. */
export function createStreamPlaces(clock: Clock): StreamPlaces {
  const places = new Map<string, number>();
  const take = (owner: string): (() => void) => {
    places.set(owner, (places.get(owner) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (places.get(owner) ?? 1) - 1;
      if (left > 0) places.set(owner, left);
      else places.delete(owner);
    };
  };
  return {
    openOf: (owner) => places.get(owner) ?? 0,
    async hold(owner, limits, open) {
      if ((places.get(owner) ?? 0) >= limits.streamsPerCaller) {
        const what = "Too many streams are open with this key or of this user";
        throw overLimit({ code: "limit.concurrency", what, limit: "streamsPerCaller" }, limits);
      }
      const leave = take(owner);
      try {
        const answer = await open();
        const { body } = answer;
        if (body.type !== "stream") {
          leave();
          return answer;
        }
        const discard = (): void => {
          leave();
          body.discard?.();
        };
        return { ...answer, body: { ...body, frames: timed(body.frames, { clock, limits, discard }), discard } };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

interface Timing {
  readonly clock: Clock;
  readonly limits: McpLimits;
  discard(): void;
}

/** The frames until time is up. Heartbeats do not count as life: whoever is on the way makes them. */
async function* timed(frames: AsyncIterable<Frame>, { clock, limits, discard }: Timing): AsyncGenerator<Frame> {
  let fail: (reason: unknown) => void = () => undefined;
  let end: GatewayError | undefined;
  const ends = (limit: "streamMs" | "streamIdleMs", what: string) => (): void => {
    end ??= overLimit({ code: "exchange.deadline", what, limit }, limits);
    fail(end);
  };
  const wholeTime = clock.after(limits.streamMs, ends("streamMs", "The stream was open for too long"));
  const idle = ends("streamIdleMs", "The stream was silent for too long");
  let silence = clock.after(limits.streamIdleMs, idle);
  const source = frames[Symbol.asyncIterator]();
  try {
    for (;;) {
      if (end !== undefined) throw end;
      const next = await new Promise<IteratorResult<Frame>>((resolve, reject) => {
        fail = reject;
        source.next().then(resolve, reject);
      });
      if (next.done === true) return;
      if (next.value.message() !== undefined) {
        silence();
        silence = clock.after(limits.streamIdleMs, idle);
      }
      yield next.value;
    }
  } finally {
    wholeTime();
    silence();
    discard();
    // Not waited for: a source that is silent would end only with its next frame.
    source.return?.().then(undefined, () => undefined);
  }
}
