import type { z } from "zod";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { OnError, PluginDescription, PluginTools } from "./plugin.ts";

/** A piece of text and its place in a message; what a guardrail sees of any protocol. */
export interface TextSpan {
  /** `messages[2].content`, `params.arguments.query`; in a stream, the channel: `choices[0].delta.content`. */
  readonly place: string;
  readonly text: string;
  /** Who wrote it, where the protocol tells. */
  readonly author: SpanAuthor;
  /** Where it stands in the message, where that is JSON: member names and indexes from the root. */
  readonly path?: readonly (string | number)[];
  /** Of a stream: what part of its channel this text is. Absent where the text is whole. */
  readonly part?: SpanPart;
}

export type SpanAuthor = "system" | "user" | "assistant" | "tool" | "unknown";

export interface SpanPart {
  /** UTF-16 units of the channel before this text. */
  readonly from: number;
  /** The last `overlap` units are judged again with what follows: leave what may go on there. */
  readonly goesOn: boolean;
}

/** Replaces `[start, end)` (UTF-16 units) of the text of `spans[span]`. Edits of one span do not overlap. */
export interface SpanEdit {
  readonly span: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** What a guardrail measured, by names of its own: scores, kinds and counts. Never a piece of the text. */
export type Assessment = Readonly<Record<string, unknown>>;

export type Verdict =
  /** With a `detail` it is an annotation: nothing is changed, and the row says what was found. */
  | { readonly type: "pass"; readonly detail?: string; readonly assessment?: Assessment }
  /** `reason` is for the caller, `detail` for the log. Neither quotes the text. */
  | { readonly type: "deny"; readonly reason: string; readonly detail?: string; readonly assessment?: Assessment }
  | {
      readonly type: "rewrite";
      readonly edits: readonly SpanEdit[];
      readonly detail?: string;
      readonly assessment?: Assessment;
    };

export type GuardrailPhase = "request" | "response";

/** What of a stream a guardrail must see at once. */
export interface StreamWindow {
  /** Characters (UTF-16 units) of a channel held back before a verdict is asked for. */
  readonly size: number;
  /** Characters judged again with the next window, so that what it looks for is not cut in two. Less than `size`. */
  readonly overlap: number;
}

/** The call whose texts are judged. */
export interface GuardedCall {
  readonly exchangeId: string;
  readonly operation: { readonly kind: string; readonly name: string };
  /** Ends when nobody waits for the verdict any more. */
  readonly signal: AbortSignal;
  /**
   * What this attachment keeps of this operation, from its request to the end of its answer: made at the first call, the
   * same afterwards. Nobody else sees it.
   */
  memory<Kept>(make: () => Kept): Kept;
}

export interface CompiledGuardrail {
  readonly phases: readonly GuardrailPhase[];
  /** Required for the response phase: streams are judged through it. */
  readonly window?: StreamWindow;
  /**
   * Judges all spans of a message together. `searched` is what `search` has found in these very spans; without it the
   * guardrail searches itself.
   */
  inspect(
    spans: readonly TextSpan[],
    phase: GuardrailPhase,
    call: GuardedCall,
    searched?: unknown,
  ): MaybePromise<Verdict>;
  /** What takes its time; of long texts it is asked in a thread of its own. */
  readonly search?: TextSearch;
  /** Whether there is nothing to look for in this call's streamed answer: none of it is held back then. */
  passesStream?(call: GuardedCall): boolean;
  dispose?(): MaybePromise<void>;
}

/** What a guardrail finds by its configuration and the texts alone, with no tools and no memory. */
export interface TextSearch {
  /** Those in which anything is looked for. */
  readonly phases: readonly GuardrailPhase[];
  /** Of spans that are whole texts. What it gives can be cloned as messages to threads are. */
  find(spans: readonly TextSpan[], phase: GuardrailPhase): unknown;
}

/** A content check. Knows spans, never a protocol. */
export interface GuardrailPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "guardrail";
  readonly onError: OnError;
  /** It depends on somebody else's service, so an attachment without `onError` of its own is refused at publish. */
  readonly asksOnError?: true;
  /**
   * Whose texts it is about, by phase; anybody's in both phases when absent. Publish refuses it at an API whose protocol
   * has no such text.
   */
  readonly appliesTo?: Readonly<Partial<Record<GuardrailPhase, readonly SpanAuthor[]>>>;
  /**
   * It judges by its configuration and the texts alone, with no tools and no memory: long texts are judged in a thread of
   * their own then. Of `whole texts`: of a stream it remembers former parts.
   */
  readonly isPure?: true | "whole texts";
  compile(config: z.output<Config>, tools: PluginTools): CompiledGuardrail;
}

/** Declares a guardrail; pure. Put it in its own file and in the list of `guardrails/index.ts`. */
export function defineGuardrail<Config extends z.ZodType>(
  plugin: Omit<GuardrailPlugin<Config>, "kind">,
): GuardrailPlugin<Config> {
  return { ...plugin, kind: "guardrail" };
}
