import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { SpanFacts } from "../../pipeline/adapter.ts";
import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { PlacedSpan } from "../edit-strings.ts";
import { editStrings } from "../edit-strings.ts";
import { restRequest } from "./rest-request.ts";

/** Who calls is the user; what the service answers is a tool's. A call of an API is what its tools do. */
export const texts: SpanFacts = {
  authors: { request: ["user"], response: ["tool"] },
  hasTurns: false,
  hasResults: true,
  document: ({ body }) => parsed(body),
};

/** The address, decoded as far as that goes, and every string of a JSON body. */
export function requestSpans(operation: Operation): readonly TextSpan[] {
  const { path } = restRequest(operation);
  return [{ place: "path", text: decoded(path), author: "user" }, ...jsonSpans(parsed(operation.body), "user")];
}

/** Edits of strings of the body. Throws `policy.failed` for one of the address: another address is another request. */
export function editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void {
  if (edits.some(({ span }) => spans[span]?.place === "path")) {
    throw new GatewayError("policy.failed", "The address of a request cannot be rewritten.");
  }
  operation.body = editStrings(operation.body, spans, edits);
}

/** Refuses a body in which no guardrail could read. */
export function hiddenBody({ body }: Operation): Deny | undefined {
  if (body.length === 0 || parsed(body) !== undefined) return undefined;
  return deny("request.unsupported_media_type", "This API judges what is sent to it, and can read JSON bodies only.");
}

/** Every string of a JSON answer; of others none. */
export function frameSpans(_operation: Operation, frame: Frame): readonly TextSpan[] {
  return jsonSpans(frame.message(), "tool");
}

/** The answer with its edits made. */
export function editFrame(
  _operation: Operation,
  frame: Frame,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
): Frame {
  return jsonFrame(editStrings(frame.bytes, spans, edits));
}

/** Bytes that are JSON, or something else. */
export function jsonFrame(bytes: Buffer): Frame {
  return { bytes, message: () => parsed(bytes) };
}

function jsonSpans(value: unknown, author: TextSpan["author"], path: PlacedSpan["path"] = []): readonly PlacedSpan[] {
  if (typeof value === "string")
    return value === "" ? [] : [{ place: ["body", ...path].join("."), text: value, author, path }];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, at) => jsonSpans(item, author, [...path, at]));
  return Object.entries(value).flatMap(([name, item]) => jsonSpans(item, author, [...path, name]));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
