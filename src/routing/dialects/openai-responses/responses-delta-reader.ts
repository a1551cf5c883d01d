import type { ChatDelta, OpenedPart } from "../chat-answer.ts";
import type { DeltaReader } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { readOpenAiError } from "../openai-chat/read-openai-error.ts";
import { textOf } from "../wire-values.ts";
import { proofOf, readResponsesFinish, readResponsesUsage } from "./read-responses-answer.ts";

/** Reads the events of a streamed response. */
export function responsesDeltaReader(): DeltaReader {
  return new ResponsesDeltaReader();
}

const textEvents: Readonly<Record<string, "text" | "refusal" | "reasoning">> = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.reasoning_summary_text.delta": "reasoning",
  "response.reasoning_text.delta": "reasoning",
};

class ResponsesDeltaReader implements DeltaReader {
  /** Parts by their place: the item's, and for texts the content's within it. */
  readonly #parts = new Map<string, number>();
  readonly #types: OpenedPart["type"][] = [];
  readonly #open = new Set<number>();
  #isWhole = false;

  read({ data }: { readonly data: unknown }): readonly ChatDelta[] {
    if (!isWireObject(data)) return [];
    const type = String(data["type"]);
    const text = textEvents[type];
    if (text !== undefined) return this.#said(data, text);
    switch (type) {
      case "response.created":
        return isWireObject(data["response"]) ? [startOf(data["response"])] : [];
      case "response.output_item.added":
        return this.#added(data);
      case "response.function_call_arguments.delta":
        return this.#more(`${String(data["output_index"])}`, textOf(data["delta"]));
      case "response.output_item.done":
        return this.#done(data);
      case "response.completed":
      case "response.incomplete":
        return isWireObject(data["response"]) ? this.#end(data["response"]) : [];
      case "response.failed":
        return [{ type: "error", error: readOpenAiError(undefined, data["response"]) }];
      case "error":
        return [{ type: "error", error: readOpenAiError(undefined, data) }];
      default:
        return [];
    }
  }

  get isDone(): boolean {
    return this.#isWhole;
  }

  end(): boolean {
    return this.#isWhole;
  }

  #added(data: WireObject): readonly ChatDelta[] {
    const item = isWireObject(data["item"]) ? data["item"] : {};
    const key = `${String(data["output_index"])}`;
    if (item["type"] === "function_call") {
      const of = { type: "tool-call" as const, id: textOf(item["call_id"]), name: textOf(item["name"]) };
      return [this.#begin(key, of)];
    }
    if (item["type"] !== "reasoning") return [];
    const { id } = item;
    return [this.#begin(key, { type: "reasoning", ...(typeof id === "string" ? { id } : {}) })];
  }

  #said(data: WireObject, type: "text" | "refusal" | "reasoning"): readonly ChatDelta[] {
    const item = `${String(data["output_index"])}`;
    const key = type === "reasoning" ? item : `${item}/${String(data["content_index"])}/${type}`;
    const first = this.#parts.has(key) ? [] : [this.#begin(key, { type })];
    return [...first, ...this.#more(key, textOf(data["delta"]))];
  }

  #begin(key: string, of: OpenedPart): ChatDelta {
    const part = this.#types.length;
    this.#parts.set(key, part);
    this.#types.push(of.type);
    this.#open.add(part);
    return { type: "open", candidate: 0, part, of };
  }

  #more(key: string, text: string): readonly ChatDelta[] {
    const part = this.#parts.get(key);
    return part === undefined || text === "" ? [] : [{ type: "more", candidate: 0, part, text }];
  }

  /** An item is done, and with it its parts; a thought's proof comes with its end. */
  #done(data: WireObject): readonly ChatDelta[] {
    const key = `${String(data["output_index"])}`;
    const item = isWireObject(data["item"]) ? data["item"] : {};
    const deltas: ChatDelta[] = [];
    for (const [place, part] of this.#parts) {
      if ((place !== key && !place.startsWith(`${key}/`)) || !this.#open.delete(part)) continue;
      const { signature } = item["type"] === "reasoning" ? proofOf(item) : {};
      if (signature !== undefined) deltas.push({ type: "signature", candidate: 0, part, signature });
      deltas.push({ type: "close", candidate: 0, part });
    }
    return deltas;
  }

  #end(response: WireObject): readonly ChatDelta[] {
    this.#isWhole = true;
    const reason = readResponsesFinish(
      response,
      this.#types.map((type) => ({ type })),
    );
    const usage = readResponsesUsage(response["usage"], response["service_tier"]);
    const finish: ChatDelta = { type: "finish", candidate: 0, reason };
    return usage === undefined ? [finish] : [{ type: "usage", usage }, finish];
  }
}

function startOf(response: WireObject): ChatDelta {
  const { created_at: created } = response;
  return {
    type: "start",
    id: textOf(response["id"]),
    model: textOf(response["model"]),
    ...(typeof created === "number" ? { createdAtMs: created * 1_000 } : {}),
  };
}
