import type { ErrorCode } from "../kernel/error-codes.ts";
import type { FaultManner } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Answer } from "./exchange.ts";

/** A policy's refusal. A value, not an exception: nothing is broken. `message` is for the caller. */
export interface Deny {
  readonly type: "deny";
  readonly code: ErrorCode;
  readonly message: string;
  /** The true reason, for the log and the event only. */
  readonly detail?: string;
  readonly retryAfterMs?: number;
  readonly param?: string;
  /** Scopes that a token would need: those of `auth.insufficient_scope`, for the challenge. */
  readonly scopes?: readonly string[];
  /** The JSON-RPC id of the refused request, where the protocol has one and no operation carries it. */
  readonly requestId?: string | number;
  /** Facts for the caller beside the text, as its dialect allows. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly manner?: FaultManner;
}

/** A policy's own answer instead of the upstream's (a cache hit, a preflight). */
export interface Respond {
  readonly type: "respond";
  readonly answer: Answer;
}

/** What a step's handler says: nothing to go on, or where to go instead. */
export type StepResult = undefined | Deny | Respond;

/** How an exchange ended: what `encode` renders and `record` writes down. */
export type Outcome =
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "denied"; readonly deny: Deny; readonly by: string }
  | { readonly type: "failed"; readonly error: GatewayError };

/** A refusal with `code`; status and title come from the code's row. */
export function deny(code: ErrorCode, message: string, more: Omit<Deny, "type" | "code" | "message"> = {}): Deny {
  return { type: "deny", code, message, ...more };
}

/** A refusal where only an exception leads out: of a stream that is under way, or of a call inside of another. */
export function refusalError({ code, message, detail, retryAfterMs, param, data, manner }: Deny): GatewayError {
  return new GatewayError(code, message, {
    ...(detail !== undefined && { detail }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(param !== undefined && { param }),
    ...(data !== undefined && { data }),
    ...(manner !== undefined && { manner }),
  });
}
