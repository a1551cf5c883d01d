import type { ByteRange } from "../kernel/json-scan.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";

/** What a tool says of itself, whatever protocol it came by. */
export interface ToolFacts {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** The JSON Schema of its arguments, as it came. */
  readonly parameters?: unknown;
}

/** Where an entry of a list stands. */
export interface ToolPlace {
  readonly index: number;
  /** In the list's bytes. */
  readonly at: ByteRange;
}

/** One entry of a list of tools. */
export interface OfferedTool extends ToolPlace {
  /** Undefined of what has none, such as a tool of the provider's own, or what is no object. */
  readonly name: string | undefined;
  /** Its kind, where the protocol has several: `function`, `web_search`. */
  readonly type: string | undefined;
  /** Undefined of what has no text that it could be found by. */
  readonly facts: ToolFacts | undefined;
}

/** The tools that a request offers to a model. */
export interface OfferedTools {
  /** The list's bytes: lists of equal bytes hold equal tools. */
  readonly listing: Uint8Array;
  /** The list, read at each call. */
  read(): readonly OfferedTool[];
  /** What the user has said, a text for each turn that has any, oldest first. */
  userTurns(): readonly string[];
  /** Names and types that may not be taken away: forced by the caller, or called in the conversation already. */
  needed(): ReadonlySet<string>;
  /** The calls of tools since the user's last turn that have come back with a result. */
  answeredCalls(): readonly string[];
  /** The model may answer without any tool. */
  readonly isOptional: boolean;
  /** The parsed request, for a query by JSONPath. */
  readonly message: unknown;
  /**
   * Leaves these entries in the request, in this order; every other byte stays. Without any, the list is taken out, with
   * what makes no sense without it.
   */
  keep(entries: readonly ToolPlace[]): void;
}

/** An answer that will list tools for one task. */
export interface ListedTools {
  /** What the caller wants to do, in their words; never sent on. */
  readonly task: string;
  /** Asks once the tools are known that this caller may call. What `choose` throws ends the operation. */
  narrow(choose: ToolChooser): void;
}

/** Says for each tool whether it stays. `listing` is the bytes of the list. */
export type ToolChooser = (tools: readonly OfferedTool[], listing: Uint8Array) => MaybePromise<readonly boolean[]>;

/** What a filter of tools did, and why. Nothing of the request's text but names of tools. */
export interface ToolDecision {
  /** How it chooses, as in its configuration: `rank`, `threshold`, `rank+threshold`. */
  readonly selection: string;
  /** In one word: `filtered`, `few` (there was nothing to choose), `no-text`, `failed`, `deadline`. */
  readonly reason: string;
  /** Nothing was taken away: it only says what would have been. */
  readonly isMonitor: boolean;
  readonly total: number;
  readonly kept: number;
  /** Tools that have no text to be found by. */
  readonly withoutText: number;
  /** Tokens of the list before and after, a quarter of one for each byte. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** The best, best first, with their scores from 0 to 1; no more than 20. */
  readonly scores: readonly { readonly tool: string; readonly score: number }[];
  /** Names of what is kept, in the list's order; no more than 1,000. */
  readonly keptNames: readonly string[];
  readonly tookMs: number;
}
