import type { ProtocolAdapter } from "../../src/pipeline/adapter.ts";
import type { SpanEdit, TextSpan } from "../../src/pipeline/define-guardrail.ts";
import type { Frame } from "../../src/pipeline/exchange.ts";

/** A text and its place: all that this protocol's messages are made of. */
export type Said = readonly [place: string, text: string];

/** A protocol whose messages are lists of texts: for tests of what sees spans and frames and no real protocol. */
export const textAdapter: ProtocolAdapter = {
  kind: "Text",
  routes: [],
  cutsText: true,
  compile: () => undefined,
  decode: () => [],
  requestSpans: (operation) => toSpans(JSON.parse(operation.body.toString()), "user"),
  editRequest(operation, spans, edits) {
    operation.body = requestBody(...applied(spans, edits));
  },
  frameSpans: (_operation, frame) => toSpans(frame.message(), "assistant"),
  editFrame: (_operation, _frame, spans, edits) => textFrame(...applied(spans, edits)),
  notOffered: () => ({ type: "deny", code: "request.not_offered", message: "Not offered." }),
  call: () => Promise.reject(new Error("nothing is called in these tests")),
  encode: () => ({ status: 200, error: undefined }),
  encodeDeny: () => undefined,
};

/** A frame that says these; without any, a heartbeat. */
export function textFrame(...said: readonly Said[]): Frame {
  return { bytes: Buffer.from(JSON.stringify(said)), message: () => (said.length === 0 ? undefined : said) };
}

/** The body of a request that says these. */
export function requestBody(...said: readonly Said[]): Buffer {
  return Buffer.from(JSON.stringify(said));
}

/** What a frame says. */
export function saidBy(frame: Frame): readonly Said[] {
  return JSON.parse(Buffer.from(frame.bytes).toString()) as readonly Said[]; // as `textFrame` wrote it
}

/** What frames say in one channel, joined. */
export function textOf(frames: readonly Frame[], channel = "text"): string {
  return frames
    .flatMap(saidBy)
    .map(([place, text]) => (place === channel ? text : ""))
    .join("");
}

/** The text with edits of it made. */
export function edited(text: string, edits: readonly SpanEdit[]): string {
  return edits
    .toSorted((left, right) => right.start - left.start)
    .reduce((now, edit) => now.slice(0, edit.start) + edit.replacement + now.slice(edit.end), text);
}

function toSpans(message: unknown, author: TextSpan["author"]): readonly TextSpan[] {
  const said = (message ?? []) as readonly Said[]; // made by `textFrame` or `requestBody` and by nobody else
  return said.map(([place, text]) => ({ place, text, author }));
}

function applied(spans: readonly TextSpan[], edits: readonly SpanEdit[]): Said[] {
  return spans.map(({ place, text }, index) => [
    place,
    edited(
      text,
      edits.filter((edit) => edit.span === index),
    ),
  ]);
}
