import type { ChatDelta } from "../chat-answer.ts";
import type { DeltaReader } from "../dialect.ts";
import { madeCallId } from "../made-call-id.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { objectsOf, textOf } from "../wire-values.ts";
import { readContentTexts } from "./read-content-texts.ts";
import { readFinish, signatureOf } from "./read-openai-answer.ts";
import { readOpenAiError } from "./read-openai-error.ts";
import { readOpenAiUsage } from "./read-openai-usage.ts";

/** Reads the chunks of a streamed chat completion. */
export function openAiDeltaReader(): DeltaReader {
  const choices = new Map<number, OpenChoice>();
  let isStarted = false;
  let isDone = false;
  let callIds = "";
  return {
    get isDone() {
      return isDone;
    },
    read({ data }) {
      if (data === "[DONE]") isDone = true;
      if (!isWireObject(data)) return [];
      const failure = data["error"];
      if (isWireObject(failure)) return [{ type: "error", error: readOpenAiError(undefined, data) }];
      const deltas: ChatDelta[] = [];
      if (!isStarted && isBegun(data)) {
        isStarted = true;
        callIds = madeCallId(data["id"]);
        deltas.push(startOf(data));
      }
      for (const choice of objectsOf(data["choices"])) {
        const index = typeof choice["index"] === "number" ? choice["index"] : 0;
        const open = choices.get(index) ?? { index, parts: 0, open: undefined, calls: new Map(), finished: false };
        choices.set(index, open);
        readChoice(open, choice, callIds, deltas);
      }
      const usage = readOpenAiUsage(data["usage"] ?? nested(data["x_groq"], "usage"));
      if (usage !== undefined) deltas.push({ type: "usage", usage });
      return deltas;
    },
    end: () => isDone || (choices.size > 0 && [...choices.values()].every(({ finished }) => finished)),
  };
}

/** A choice in the making. */
interface OpenChoice {
  readonly index: number;
  /** Parts begun so far. */
  parts: number;
  /** The part that texts of its kind go on with. */
  open: { readonly type: "text" | "refusal" | "reasoning"; readonly part: number } | undefined;
  /** Parts of calls by the provider's own index of them. */
  readonly calls: Map<unknown, number>;
  finished: boolean;
}

/** Azure tells about filters first, in a chunk that names neither itself nor its model. */
function isBegun({ id, model, choices }: WireObject): boolean {
  return textOf(id) !== "" || textOf(model) !== "" || objectsOf(choices).length > 0;
}

function startOf(chunk: WireObject): ChatDelta {
  const { id, model, created } = chunk;
  return {
    type: "start",
    id: typeof id === "string" ? id : "",
    model: typeof model === "string" ? model : "",
    ...(typeof created === "number" ? { createdAtMs: created * 1_000 } : {}),
  };
}

function readChoice(choice: OpenChoice, chunk: WireObject, callIds: string, deltas: ChatDelta[]): void {
  const delta = isWireObject(chunk["delta"]) ? chunk["delta"] : {};
  say(choice, "reasoning", delta["reasoning_content"] ?? delta["reasoning"], deltas);
  for (const { type, text } of readContentTexts(delta["content"])) say(choice, type, text, deltas);
  say(choice, "refusal", delta["refusal"], deltas);
  for (const [place, call] of objectsOf(delta["tool_calls"]).entries())
    readCall(choice, call, { place, callIds }, deltas);
  const reason = chunk["finish_reason"];
  if (typeof reason !== "string" || choice.finished) return;
  choice.finished = true;
  const refused = choice.open?.type === "refusal";
  closeText(choice, deltas);
  for (const part of choice.calls.values()) deltas.push({ type: "close", candidate: choice.index, part });
  const seen = { hasCalls: choice.calls.size > 0, refused };
  deltas.push({ type: "finish", candidate: choice.index, reason: readFinish(reason, seen) });
}

function say(choice: OpenChoice, type: "text" | "refusal" | "reasoning", text: unknown, deltas: ChatDelta[]): void {
  if (typeof text !== "string" || text === "") return;
  if (choice.open?.type !== type) {
    closeText(choice, deltas);
    choice.open = { type, part: choice.parts };
    choice.parts += 1;
    deltas.push({ type: "open", candidate: choice.index, part: choice.open.part, of: { type } });
  }
  deltas.push({ type: "more", candidate: choice.index, part: choice.open.part, text });
}

function closeText(choice: OpenChoice, deltas: ChatDelta[]): void {
  if (choice.open === undefined) return;
  deltas.push({ type: "close", candidate: choice.index, part: choice.open.part });
  choice.open = undefined;
}

// The first piece of a call has its id and name, the later ones only its index and more of the arguments.
function readCall(
  choice: OpenChoice,
  call: WireObject,
  { place, callIds }: { readonly place: number; readonly callIds: string },
  deltas: ChatDelta[],
): void {
  const key = call["index"] ?? call["id"] ?? place;
  const about = isWireObject(call["function"]) ? call["function"] : {};
  let part = choice.calls.get(key);
  if (part === undefined) {
    closeText(choice, deltas);
    part = choice.parts;
    choice.parts += 1;
    choice.calls.set(key, part);
    const id = typeof call["id"] === "string" && call["id"] !== "" ? call["id"] : `${callIds}_${choice.index}_${part}`;
    const name = typeof about["name"] === "string" ? about["name"] : "";
    deltas.push({ type: "open", candidate: choice.index, part, of: { type: "tool-call", id, name } });
    const value = signatureOf(call);
    if (value !== undefined) {
      deltas.push({ type: "signature", candidate: choice.index, part, signature: { of: "gemini", value } });
    }
  }
  const text = about["arguments"];
  if (typeof text === "string" && text !== "") deltas.push({ type: "more", candidate: choice.index, part, text });
}

function nested(value: unknown, name: string): unknown {
  return isWireObject(value) ? value[name] : undefined;
}
