import type { AnswerPart, ChatDelta, OpenedPart } from "../chat-answer.ts";
import type { DeltaReader } from "../dialect.ts";
import { madeCallId } from "../made-call-id.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { objectsOf, textOf } from "../wire-values.ts";
import { readGeminiFinish, readGeminiPart, readGeminiUsage } from "./read-gemini-answer.ts";
import { readGeminiError } from "./read-gemini-error.ts";

/** Reads the answers of `…:streamGenerateContent?alt=sse`: each holds what is new, calls always whole. */
export function geminiDeltaReader(): DeltaReader {
  const candidates = new Map<number, OpenCandidate>();
  let isStarted = false;
  let callIds = "";
  return {
    isDone: false,
    read({ data }) {
      if (!isWireObject(data)) return [];
      if (isWireObject(data["error"])) return [{ type: "error", error: readGeminiError(undefined, data) }];
      const deltas: ChatDelta[] = [];
      if (!isStarted)
        deltas.push({ type: "start", id: textOf(data["responseId"]), model: textOf(data["modelVersion"]) });
      if (!isStarted) callIds = madeCallId(data["responseId"]);
      isStarted = true;
      const told = objectsOf(data["candidates"]);
      for (const candidate of told) {
        const index = typeof candidate["index"] === "number" ? candidate["index"] : 0;
        const open = candidates.get(index) ?? { index, parts: 0, open: undefined, hasCalls: false, finished: false };
        candidates.set(index, open);
        readCandidate(open, candidate, callIds, deltas);
      }
      const feedback = data["promptFeedback"];
      if (told.length === 0 && isWireObject(feedback) && feedback["blockReason"] !== undefined && !candidates.has(0)) {
        candidates.set(0, { index: 0, parts: 0, open: undefined, hasCalls: false, finished: true });
        deltas.push({ type: "finish", candidate: 0, reason: "filtered" });
      }
      const usage = readGeminiUsage(data["usageMetadata"]);
      if (usage !== undefined) deltas.push({ type: "usage", usage });
      return deltas;
    },
    end: () => candidates.size > 0 && [...candidates.values()].every(({ finished }) => finished),
  };
}

interface OpenCandidate {
  readonly index: number;
  parts: number;
  /** The part that text of its kind goes on with. */
  open: { readonly type: "text" | "reasoning"; readonly part: number } | undefined;
  hasCalls: boolean;
  finished: boolean;
}

function readCandidate(candidate: OpenCandidate, told: WireObject, callIds: string, deltas: ChatDelta[]): void {
  const content = isWireObject(told["content"]) ? told["content"] : {};
  for (const part of objectsOf(content["parts"])) {
    const read = readGeminiPart(part, `${callIds}_${candidate.index}_${candidate.parts}`);
    if (read !== undefined) readPart(candidate, read, deltas);
  }
  if (told["finishReason"] === undefined || candidate.finished) return;
  candidate.finished = true;
  close(candidate, deltas);
  const reason = readGeminiFinish(told["finishReason"], candidate.hasCalls);
  deltas.push({ type: "finish", candidate: candidate.index, reason });
}

function readPart(candidate: OpenCandidate, read: AnswerPart, deltas: ChatDelta[]): void {
  if (read.type === "refusal") return; // Google has no such part
  if (read.type !== "tool-call") {
    if (candidate.open?.type !== read.type) {
      close(candidate, deltas);
      candidate.open = { type: read.type, part: begin(candidate, { type: read.type }, deltas) };
    }
    const { part } = candidate.open;
    if (read.text !== "") deltas.push({ type: "more", candidate: candidate.index, part, text: read.text });
    if (read.type === "reasoning") sign(candidate, part, read, deltas);
    return;
  }
  close(candidate, deltas);
  candidate.hasCalls = true;
  const part = begin(candidate, { type: "tool-call", id: read.id, name: read.name }, deltas);
  sign(candidate, part, read, deltas);
  deltas.push({ type: "more", candidate: candidate.index, part, text: read.arguments });
  deltas.push({ type: "close", candidate: candidate.index, part });
}

function begin(candidate: OpenCandidate, of: OpenedPart, deltas: ChatDelta[]): number {
  const part = candidate.parts;
  candidate.parts += 1;
  deltas.push({ type: "open", candidate: candidate.index, part, of });
  return part;
}

function sign(
  { index }: OpenCandidate,
  part: number,
  { signature }: Extract<AnswerPart, { type: "tool-call" | "reasoning" }>,
  deltas: ChatDelta[],
): void {
  if (signature !== undefined) deltas.push({ type: "signature", candidate: index, part, signature });
}

function close(candidate: OpenCandidate, deltas: ChatDelta[]): void {
  if (candidate.open === undefined) return;
  deltas.push({ type: "close", candidate: candidate.index, part: candidate.open.part });
  candidate.open = undefined;
}
