import type { MaybePromise } from "../kernel/maybe-promise.ts";

/** Who made something that a provider keeps, and where. */
export interface AffinityOwner {
  /** The target's id; stable over republishing. */
  readonly target: string;
  /** The provider resource's name: whose credential it was made with. */
  readonly provider: string;
  /** The caller that it was made for. */
  readonly caller: string;
  /** The model that the caller asked for. */
  readonly model: string;
  /** Tokens that the caller was charged by estimate; what is told later is charged beyond these. */
  readonly charged?: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
}

/**
 * What providers keep, by keys of the adapter's making. Best effort: an entry may be forgotten, by time or for want of
 * room, and none is ever wrong. Nothing in it is a secret or a text of anybody's.
 */
export interface AffinityStore {
  /** Undefined when nobody remembers, or what remembers is away. Never rejects. */
  find(key: string): MaybePromise<AffinityOwner | undefined>;
  /** Takes effect soon; never throws. */
  put(key: string, owner: AffinityOwner): void;
  forget(key: string): void;
  /**
   * Finds an entry and forgets it in one step: of many who ask at once, in all processes together, one gets it. Never
   * rejects.
   */
  claim(key: string): MaybePromise<AffinityOwner | undefined>;
}

/** Milliseconds for which an owner is remembered: as long as OpenAI keeps a response. */
export const affinityMs = 30 * 86_400_000;
