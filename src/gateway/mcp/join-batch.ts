import { toGatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { Answer, Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import type { Outcome } from "../../pipeline/outcome.ts";
import { siblingWrote } from "../../pipeline/run-siblings.ts";
import type { McpFaultParts } from "./fault-message.ts";
import { faultMessage, faultStatus } from "./fault-message.ts";
import type { McpSeen } from "./mcp-request.ts";
import { mcpRequest, requestId } from "./mcp-request.ts";
import { mergeStreams } from "./merge-streams.ts";

/**
 * The outcomes of a batch's messages as one answer: a JSON array of those that have one, or a stream of events where an
 * upstream streams; 202 without a body where nothing was asked. A message that was refused has its error among the
 * answers; where all were refused with one status, that is the status. A stream that breaks costs its own message the
 * answer, and its outcome is put into `outcomes`.
 */
export function joinBatch(exchange: Exchange, outcomes: Outcome[]): Outcome {
  const streams = outcomes.some((outcome) => outcome.type === "answer" && outcome.answer.body.type === "stream");
  return { type: "answer", answer: streams ? streamed(exchange, outcomes) : whole(exchange, outcomes) };
}

function whole(exchange: Exchange, outcomes: readonly Outcome[]): Answer {
  const all = outcomes.map((outcome, place) => wholeBytes(exchange.operations[place], outcome));
  for (const [place, { length }] of all.entries()) siblingWrote(exchange, place, length);
  const answers = all.filter(({ length }) => length > 0);
  const bytes = answers.length === 0 ? Buffer.alloc(0) : Buffer.concat([open, ...answers.flatMap(separated), close]);
  const headers = answers.length === 0 ? {} : { "content-type": "application/json" };
  const statuses = new Set(outcomes.map((outcome, place) => statusOf(outcome, exchange.operations[place])));
  const [first = 200] = statuses;
  const status = statuses.size === 1 && first >= 400 ? first : answers.length === 0 ? 202 : 200;
  return {
    status,
    headers,
    body: { type: "whole", frame: { bytes, message: (): unknown => parseJson(bytes.toString("utf8")) } },
  };
}

const open = Buffer.from("[");
const close = Buffer.from("]");
const comma = Buffer.from(",");

function separated(bytes: Uint8Array, at: number): readonly Uint8Array[] {
  return at === 0 ? [bytes] : [comma, bytes];
}

/** The answer to one message; empty for what is not answered: notifications, and answers of the client's. */
function wholeBytes(operation: Operation | undefined, outcome: Outcome): Uint8Array {
  if (requestId(operation) === undefined) return Buffer.alloc(0);
  if (outcome.type !== "answer") return Buffer.from(faultText(operation, outcome));
  return outcome.answer.body.type === "whole" ? outcome.answer.body.frame.bytes : Buffer.alloc(0);
}

function faultText(operation: Operation | undefined, outcome: Exclude<Outcome, { type: "answer" }>): string {
  return JSON.stringify(faultMessage(operation, requestId(operation), faultOf(outcome)));
}

function faultOf(outcome: Exclude<Outcome, { type: "answer" }>): McpFaultParts {
  return outcome.type === "denied" ? outcome.deny : outcome.error;
}

function statusOf(outcome: Outcome, operation: Operation | undefined): number {
  if (outcome.type === "answer") return outcome.answer.status;
  const parts = faultOf(outcome);
  const isHidden = parts.code === "request.not_offered" || parts.code === "mcp.method_not_found";
  return isHidden ? 200 : faultStatus(operation, parts);
}

function streamed(exchange: Exchange, outcomes: Outcome[]): Answer {
  const bodies = outcomes.flatMap((outcome) => (outcome.type === "answer" ? [outcome.answer.body] : []));
  const discard = (): void => {
    for (const body of bodies) if (body.type === "stream") body.discard?.();
  };
  const frames = mergedFrames(exchange, outcomes, discard);
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  };
  return { status: 200, headers, body: { type: "stream", frames, headersFirst: true, discard } };
}

/** The frames of all, as they come; whole answers are events first. */
async function* mergedFrames(exchange: Exchange, outcomes: Outcome[], discard: () => void): AsyncGenerator<Frame> {
  const { operations } = exchange;
  const streams = new Map<number, AsyncIterable<Frame>>();
  try {
    for (const [place, outcome] of outcomes.entries()) {
      if (outcome.type === "answer" && outcome.answer.body.type === "stream") {
        streams.set(place, outcome.answer.body.frames);
        continue;
      }
      const bytes = wholeBytes(operations[place], outcome);
      if (bytes.length > 0) yield given(exchange, place, eventOf(Buffer.from(bytes).toString("utf8")), true);
    }
    for await (const piece of mergeStreams(streams)) {
      if ("error" in piece) yield* breakOff(exchange, outcomes, piece.place, piece.error);
      else yield given(exchange, piece.place, piece.frame, seenOf(exchange, piece.place)?.resultType !== undefined);
    }
  } finally {
    discard(); // whoever left reads no more: every upstream is let go of, also the ones that were being waited for
  }
}

/** The same frame, noted as given to the client: after a cancellation nothing more is. */
function given(exchange: Exchange, place: number, frame: Frame, isAnswer: boolean): Frame {
  const { isCancelled, reason } = exchange.cancellation;
  if (isCancelled) throw toGatewayError(reason);
  const seen = seenOf(exchange, place);
  if (seen !== undefined) seen.isAnswered ||= isAnswer;
  siblingWrote(exchange, place, frame.bytes.length);
  return frame;
}

function seenOf({ operations }: Exchange, place: number): McpSeen | undefined {
  const operation = operations[place];
  return operation && mcpRequest(operation).seen;
}

/** A stream of one message broke: its outcome is that, and its error an event. What breaks for all is thrown. */
function breakOff(exchange: Exchange, outcomes: Outcome[], place: number, cause: unknown): readonly Frame[] {
  const { isCancelled, reason } = exchange.cancellation;
  const error = toGatewayError(reason ?? cause);
  if (isCancelled) throw error;
  const operation = exchange.operations[place];
  outcomes[place] = { type: "failed", error };
  if (requestId(operation) === undefined || seenOf(exchange, place)?.isAnswered === true) return [];
  return [given(exchange, place, eventOf(faultText(operation, { type: "failed", error })), true)];
}

function eventOf(json: string): Frame {
  const data = json
    .split(/\r\n|\n|\r/)
    .map((line) => `data: ${line}\n`)
    .join("");
  return { bytes: Buffer.from(`event: message\n${data}\n`), message: () => parseJson(json) };
}
