import type { AnswerPart, ChatDelta, ChatUsage, OpenedPart } from "../chat-answer.ts";
import type { Signature } from "../chat-request.ts";
import type { AnswerContext, DeltaWriter, WireEvent } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { withoutAbsent } from "../without-absent.ts";
import { itemId, responseId, writeContent, writeItem, writeResponse } from "./write-responses-answer.ts";

/**
 * Writes the typed events of a streamed response, numbered one after the other. It ends with `response.completed`,
 * `response.incomplete` or `response.failed`, for which clients wait. Only the first candidate is told.
 */
export function responsesDeltaWriter(context: AnswerContext): DeltaWriter {
  return new ResponsesDeltaWriter(context);
}

interface OpenItem {
  readonly of: OpenedPart;
  readonly index: number;
  readonly id: string;
  text: string;
  signature?: Signature;
}

class ResponsesDeltaWriter implements DeltaWriter {
  readonly #context: AnswerContext;
  readonly #items = new Map<number, OpenItem>();
  readonly #output: WireObject[] = [];
  #sequence = 0;
  #about = { id: "", model: "", createdAtMs: 0 };
  #usage: ChatUsage | undefined;
  #finish: Extract<ChatDelta, { type: "finish" }>["reason"] | undefined;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#about = { id: responseId("", context.exchangeId), model: "", createdAtMs: context.nowMs };
  }

  write(delta: ChatDelta): readonly WireEvent[] {
    if ("candidate" in delta && delta.candidate !== 0) return [];
    switch (delta.type) {
      case "start":
        return this.#start(delta);
      case "open":
        return this.#open(delta.part, delta.of);
      case "more":
        return this.#more(delta.part, delta.text);
      case "signature": {
        const item = this.#items.get(delta.part);
        if (item !== undefined) item.signature = delta.signature;
        return [];
      }
      case "close":
        return this.#close(delta.part);
      case "finish":
        this.#finish = delta.reason;
        return [];
      case "usage":
        this.#usage = delta.usage;
        return [];
      default:
        return this.#fail(delta.error.message, delta.error.code);
    }
  }

  end(): readonly WireEvent[] {
    if (this.#failed) return [];
    const events = [...this.#items.keys()].flatMap((part) => this.#close(part));
    const response = this.#response(this.#finish ?? "stop");
    const { status } = response;
    const type = status === "incomplete" || status === "failed" ? `response.${status}` : "response.completed";
    return [...events, this.#event(type, { response })];
  }

  #start({ id, model, createdAtMs }: Extract<ChatDelta, { type: "start" }>): readonly WireEvent[] {
    const { exchangeId, nowMs } = this.#context;
    this.#about = { id: responseId(id, exchangeId), model, createdAtMs: createdAtMs ?? nowMs };
    const response = this.#response(undefined);
    return [this.#event("response.created", { response }), this.#event("response.in_progress", { response })];
  }

  #open(part: number, of: OpenedPart): readonly WireEvent[] {
    const index = this.#output.length;
    const id = (of.type === "reasoning" ? of.id : undefined) ?? itemId(this.#about.id, index);
    const item: OpenItem = { of, index, id, text: "" };
    this.#items.set(part, item);
    const begun = beginning(of, id);
    this.#output.push(begun);
    const added = this.#event("response.output_item.added", { output_index: index, item: begun });
    if (of.type === "tool-call") return [added];
    if (of.type === "reasoning") return [added];
    const place = { item_id: id, output_index: index, content_index: 0 };
    return [
      added,
      this.#event("response.content_part.added", { ...place, part: writeContent({ type: of.type, text: "" }) }),
    ];
  }

  #more(part: number, delta: string): readonly WireEvent[] {
    const item = this.#items.get(part);
    if (item === undefined) return [];
    const isFirst = item.text === "";
    item.text += delta;
    const place = { item_id: item.id, output_index: item.index };
    switch (item.of.type) {
      case "tool-call":
        return [this.#event("response.function_call_arguments.delta", { ...place, delta })];
      case "reasoning": {
        const at = { ...place, summary_index: 0 };
        const empty = { type: "summary_text", text: "" };
        const added = isFirst ? [this.#event("response.reasoning_summary_part.added", { ...at, part: empty })] : [];
        return [...added, this.#event("response.reasoning_summary_text.delta", { ...at, delta })];
      }
      case "refusal":
        return [this.#event("response.refusal.delta", { ...place, content_index: 0, delta })];
      default:
        return [this.#event("response.output_text.delta", { ...place, content_index: 0, delta, logprobs: [] })];
    }
  }

  #close(part: number): readonly WireEvent[] {
    const item = this.#items.get(part);
    if (item === undefined) return [];
    this.#items.delete(part);
    const done = writeItem(partOf(item), item.id);
    this.#output[item.index] = done;
    return [...this.#ending(item), this.#event("response.output_item.done", { output_index: item.index, item: done })];
  }

  #ending({ of, id, index, text }: OpenItem): readonly WireEvent[] {
    const place = { item_id: id, output_index: index };
    switch (of.type) {
      case "tool-call": {
        const given = text === "" ? "{}" : text;
        return [this.#event("response.function_call_arguments.done", { ...place, name: of.name, arguments: given })];
      }
      case "reasoning": {
        if (text === "") return [];
        const at = { ...place, summary_index: 0 };
        const part = { type: "summary_text", text };
        return [
          this.#event("response.reasoning_summary_text.done", { ...at, text }),
          this.#event("response.reasoning_summary_part.done", { ...at, part }),
        ];
      }
      default: {
        const at = { ...place, content_index: 0 };
        const told = of.type === "refusal" ? { refusal: text } : { text, logprobs: [] };
        const name = of.type === "refusal" ? "response.refusal.done" : "response.output_text.done";
        const part = writeContent({ type: of.type, text });
        return [this.#event(name, { ...at, ...told }), this.#event("response.content_part.done", { ...at, part })];
      }
    }
  }

  #fail(message: string, code: string | undefined): readonly WireEvent[] {
    this.#failed = true;
    const response = { ...this.#response("error"), error: { code: code ?? "server_error", message } };
    return [this.#event("response.failed", { response })];
  }

  #response(finish: Parameters<typeof writeResponse>[1]["finish"]): WireObject {
    const made = { finish, output: finish === undefined ? [] : [...this.#output], usage: this.#usage };
    return writeResponse(this.#about, made, this.#context);
  }

  #event(type: string, more: WireObject): WireEvent {
    const event = { event: type, data: { type, sequence_number: this.#sequence, ...more } };
    this.#sequence += 1;
    return event;
  }
}

function beginning(of: OpenedPart, id: string): WireObject {
  switch (of.type) {
    case "tool-call":
      return { id, type: "function_call", status: "in_progress", call_id: of.id, name: of.name, arguments: "" };
    case "reasoning":
      return { id, type: "reasoning", summary: [] };
    default:
      return { id, type: "message", status: "in_progress", role: "assistant", content: [] };
  }
}

function partOf({ of, text, signature }: OpenItem): AnswerPart {
  switch (of.type) {
    case "tool-call":
      return { type: "tool-call", id: of.id, name: of.name, arguments: text };
    case "reasoning": {
      const { redacted, id } = of;
      return { type: "reasoning", text, ...withoutAbsent({ signature, redacted, id }) };
    }
    default:
      return { type: of.type, text };
  }
}
