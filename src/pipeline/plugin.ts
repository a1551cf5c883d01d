import type { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import type { HostCheck } from "../kernel/host-check.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { SafeFetchOptions, SafeResponse } from "../kernel/safe-fetch.ts";
import type { AnswerStore } from "./answer-keeping.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import type { MakeRedact } from "./compile-capture.ts";
import type { PriceTable } from "./price-table.ts";
import type { TokenEstimates } from "./token-estimates.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** What every plug-in of every kind says of itself. The one `config` schema validates, documents and makes the form. */
export interface PluginDescription<Config extends z.ZodType> {
  /** As `use` names it: kebab-case, unique among its kind. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** A `z.strictObject`; each member has title, description, limits and default. */
  readonly config: Config;
  /** Configurations that work; the contract tests compile each. */
  readonly examples: readonly z.input<Config>[];
}

/** What happens to the request when the plug-in itself breaks. There is no silent default. */
export type OnError = "deny" | "continue";

/** All that a plug-in gets from outside. It opens nothing and reads no clock of its own. */
export interface PluginTools {
  readonly clock: Clock;
  readonly log: Log;
  /** How long prompts and answers have been lately, for reservations. */
  readonly estimates: TokenEstimates;
  /** Built-in prices of models; none is known where it is absent. */
  readonly prices?: PriceTable;
  /** The value behind `${secret:name}`; rejects with `resource.not_found` when there is none. */
  readonly secrets: SecretReader;
  readonly tokens: TokenVerifier;
  /** Where a policy asks whether a person has approved a call. */
  readonly approvals: ApprovalDesk;
  /** The way out for what is no proxied call, such as a provider's access tokens. */
  readonly fetch: (url: string | URL, options: SafeFetchOptions) => Promise<SafeResponse>;
  /** Whether a host has an address that `fetch` would connect to; asks name servers only. */
  readonly resolves: HostCheck;
  /**
   * The deployment's embedder, or the one that the plug-in's own configuration names. For `compile`: it throws
   * `config.invalid` for one that cannot be used, and loads nothing before the first text.
   */
  readonly embed: (choice?: { readonly use: string; readonly with: Readonly<Record<string, unknown>> }) => TextEmbedder;
  /**
   * What was learnt from use at a place (as `PolicyPlace` names it), over publishes, for as long as the gateway runs. Nothing
   * is learnt where it is absent.
   */
  readonly learnt?: (place: string, embedder: TextEmbedder) => LearntUses;
  /**
   * Where answers are kept at a place, over publishes and for as long as some policy holds it. Nothing is kept where it is
   * absent.
   */
  readonly answers?: (place: string) => AnswerStore;
  /** Redacts what is captured; an API that captures is refused where it is absent. */
  readonly makeRedact?: MakeRedact;
}

/** Requests that have led to tools, by application: their meaning and words, never their text. */
export interface LearntUses {
  readonly modelId: string;
  /** Remembers one. Rejects when the embedder fails. */
  absorb(use: { readonly entry: string; readonly application: string; readonly text: string }): MaybePromise<void>;
  /** How far each entry is to be lifted, from 0 to 1. */
  lifts(
    application: string | undefined,
    query: { readonly stems: readonly string[]; readonly vector: Float32Array | undefined },
  ): ReadonlyMap<string, number>;
}

/** Meaning as vectors. What `src/embedding/` promises of an embedder holds here. */
export interface TextEmbedder {
  /** Names the weights. Vectors of two ids never meet. Asking for it may load the model. */
  readonly modelId: string;
  /** Undefined before the first answer of a remote model. */
  readonly dimensions: number | undefined;
  /** It sees neither the order of words nor signs, nor words of other scripts than Latin. */
  readonly isBagOfWords?: boolean;
  /** The model's own scores, from 0 to 1, at and above which things belong together. */
  readonly thresholds: Readonly<Record<"route" | "tool" | "guard" | "cache", number>>;
  /**
   * Unit vectors in order; their dot product is how near they are. Undefined, never a match, for a text that means
   * nothing to the model. They are shared: leave them as they are. Not a promise where they are at hand.
   */
  embed(texts: readonly string[], signal?: AbortSignal): MaybePromise<readonly (Float32Array | undefined)[]>;
}

export interface SecretReader {
  /** The secret's value now. A changed secret is seen by the next call. */
  read(name: string): MaybePromise<string>;
}
