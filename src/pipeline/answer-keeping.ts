import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Frame, Operation } from "./exchange.ts";

/** An operation as a question: what its answer depends on. */
export interface Question {
  /** All of the request that may change the answer but the user's words, in one canonical form. */
  readonly frame: string;
  /** What the user says, turn by turn, each with its texts; none where only equal requests have equal answers. */
  readonly turns: readonly (readonly string[])[];
  /** The provider keeps the answer under its id, where only this caller may refer to it. */
  readonly isCallersOwn: boolean;
}

/** How an answer ended; only one that is `whole` may stand for another. */
export type AnswerEnd = "whole" | "calls-tools" | "unfinished";

/** How answers of a protocol are kept and given again. */
export interface AnswerKeeping {
  /**
   * The operation as it would go upstream now. A reason, in one word, where its answer may not stand for another's;
   * undefined for operations whose answers nobody would keep.
   */
  question(exchange: Exchange, operation: Operation): Question | string | undefined;
  /** How the answer with these bytes ended. */
  end(operation: Operation, answer: Pick<KeptAnswer, "isStream" | "bytes">): AnswerEnd;
  /** The answer's messages, as guardrails read them. Of one that is whole a single frame. */
  frames(answer: Pick<KeptAnswer, "isStream" | "bytes">): readonly Frame[];
}

/** An answer that is kept: as the upstream gave it, in the dialect of who asked. Never change its bytes. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isStream: boolean;
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch, as `expiresAtMs`. */
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  /** What it has used, which a hit saves. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Under what an answer is kept. Both keys are hashes that hold API, environment, caller and the rest of the request. */
export interface AnswerKeys {
  readonly apiId: string;
  /** What `exact` told when the answer was asked for: one that was under way when its API was purged is not kept. */
  readonly generation: number;
  /** Of the whole question. */
  readonly exact: string;
  /** Of everything that must be equal where the user's words need only mean the same; undefined without meaning. */
  readonly alike:
    | {
        readonly group: string;
        /** Of the pieces that are compared, in order. */
        readonly vectors: readonly Float32Array[];
        /** The stems of the words, in order, where the embedder does not see that. */
        readonly stems?: readonly string[];
      }
    | undefined;
}

export interface AnswerBounds {
  readonly entries: number;
  readonly bytes: number;
}

/** Where one policy keeps answers. Nothing that has expired or was purged is ever found. */
export interface AnswerStore {
  /**
   * The answer to an equal question, and the generation in which it was asked for: each purge of the API begins another.
   * @param notBeforeMs an answer that was kept earlier is passed over; milliseconds since the epoch, infinite for any
   */
  exact(
    keys: Pick<AnswerKeys, "apiId" | "exact">,
    notBeforeMs: number,
  ): MaybePromise<{ readonly generation: number; readonly answer: KeptAnswer | undefined }>;
  /** The nearest answer of the group, as `answerNearness` has it, from `threshold` on. */
  nearest(
    keys: Pick<AnswerKeys, "apiId"> & NonNullable<AnswerKeys["alike"]>,
    asked: { readonly threshold: number; readonly notBeforeMs: number },
  ): MaybePromise<{ readonly answer: KeptAnswer; readonly score: number } | undefined>;
  /** Keeps an answer in place of the one with the same exact key. Those that were used longest ago make room. */
  put(keys: AnswerKeys, answer: KeptAnswer, bounds: AnswerBounds): MaybePromise<void>;
  /** The policy is no longer there. */
  release(): void;
}

/** What a cache did with an operation, for headers and rows. */
export interface CacheDecision {
  readonly outcome: "hit" | "miss" | "bypass";
  /** Why it was passed by, or why nothing could be found; one word. */
  readonly reason?: string;
  /** How near the question was that had this answer; absent where it was equal. */
  readonly score?: number;
  /** Milliseconds since the answer was kept. */
  readonly ageMs?: number;
  /** Tokens that the hit has saved. */
  readonly savedTokens?: number;
  /** Nothing was given: it only tells what it would have done. */
  readonly isMonitor: boolean;
  readonly tookMs: number;
}
