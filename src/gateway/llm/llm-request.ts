import type { JsonScan } from "../../kernel/json-scan.ts";
import { scanJson } from "../../kernel/json-scan.ts";
import type { Operation } from "../../pipeline/exchange.ts";

export type LlmOperationKind = "chat" | "embeddings" | "models" | "model";

/** The adapter's own view of one operation's request; other parts see only the operation. */
export interface LlmRequest {
  readonly kind: LlmOperationKind;
  /** The parsed body; an empty object where there is none. */
  json: Readonly<Record<string, unknown>>;
  /** Where the top-level members stand in `operation.body`. */
  scan: JsonScan;
  /** The client asked for the usage chunk of a stream itself. */
  readonly wantsUsage: boolean;
  /** Content events seen on the answer's stream: the estimate of its tokens where the upstream tells none. */
  contentEvents: number;
  /** The upstream sent an error inside its stream. */
  streamError: boolean;
}

const noScan: JsonScan = { members: new Map(), insertAt: -1, depth: 0 };

/** A request without a body. */
export function bodilessRequest(kind: LlmOperationKind): LlmRequest {
  return { kind, json: {}, scan: noScan, wantsUsage: false, contentEvents: 0, streamError: false };
}

/** The view that `decode` attached to the operation. */
export function llmRequest(operation: Operation): LlmRequest {
  return operation.message as LlmRequest; // only this adapter's `decode` makes operations of this adapter's APIs
}

/** Takes over a changed body: the bytes go upstream, and the parsed view follows them. */
export function replaceBody(operation: Operation, body: Buffer): void {
  const request = llmRequest(operation);
  operation.body = body;
  request.json = JSON.parse(body.toString("utf8")) as LlmRequest["json"]; // an edit of strings leaves it an object
  request.scan = scanJson(body, { maxDepth: Number.MAX_SAFE_INTEGER });
}
