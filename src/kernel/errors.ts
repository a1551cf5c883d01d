import type { ErrorCode } from "./error-codes.ts";
import { errorCodes } from "./error-codes.ts";

/** A fault in one field of a document: `path` is dotted with indexes, e.g. `spec.upstream.production.targets[0]`. */
export interface FieldIssue {
  readonly path: string;
  readonly message: string;
}

/** How a fault is told, where that is not the usual way of its code. */
export interface FaultManner {
  /** The HTTP status in place of the code's. */
  readonly status?: number;
  /** As the result of a call, where the protocol has such results. */
  readonly asResult?: boolean;
}

export interface GatewayErrorOptions {
  /** For the operator's log only; never sent to the caller. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** How long the caller should wait before it tries again. */
  readonly retryAfterMs?: number;
  /** Fields at fault, sent to the caller. */
  readonly issues?: readonly FieldIssue[];
  /** The one request parameter at fault (OpenAI's `param`), sent to the caller. */
  readonly param?: string;
  /** What a client needs to go on, sent to the caller by protocols that have a place for it. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly manner?: FaultManner;
}

/**
 * The one exception of this codebase. `message` is for the caller and says what to do; `detail` and `cause` are for
 * the operator. Status and retry hint come from the code.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly issues: readonly FieldIssue[];
  readonly param: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly manner: FaultManner | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.issues = options.issues ?? [];
    this.param = options.param;
    this.data = options.data;
    this.manner = options.manner;
  }

  get status(): number {
    return this.manner?.status ?? errorCodes[this.code].status;
  }
}

/** Any thrown value as a `GatewayError`: one that is not ours becomes `internal`, and its text stays with the operator. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new GatewayError("internal", "The gateway failed to handle this. The request id names it in the log.", {
    detail,
    cause: error,
  });
}
