import type { OpenedPart } from "../chat-answer.ts";
import type { Signature } from "../chat-request.ts";
import type { WireEvent } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { carryCallSignature, carrySignature } from "./foreign-signature.ts";

/** An event of Anthropic's streams: its name stands in its data too. */
export function anthropicEvent(type: string, more: WireObject): WireEvent {
  return { event: type, data: { type, ...more } };
}

/**
 * Parts on their way into blocks. Blocks follow one another: what belongs to a later part waits until the one before it
 * has ended, where a provider lets its calls interleave. A part without any text has no block, unless it is a call.
 */
export class BlockQueue {
  /** Those that are not written to their end, in order; only the first streams. */
  readonly #parts: OpenPart[] = [];
  #nextIndex = 0;

  /** Says nothing yet for a call: its signature comes right behind it, and goes into a block in front of it. */
  open(part: number, of: OpenedPart): readonly WireEvent[] {
    this.#parts.push({ part, of, text: "", isClosed: false });
    return of.type === "tool-call" ? [] : this.#drain();
  }

  more(part: number, text: string): readonly WireEvent[] {
    const known = this.#find(part);
    if (known === undefined) return [];
    known.text += text;
    return this.#drain();
  }

  sign(part: number, signature: Signature): void {
    const known = this.#find(part);
    if (known !== undefined) known.signature = signature;
  }

  close(part: number): readonly WireEvent[] {
    const known = this.#find(part);
    if (known !== undefined) known.isClosed = true;
    return this.#drain();
  }

  /** All that still waits. */
  closeAll(): readonly WireEvent[] {
    for (const part of this.#parts) part.isClosed = true;
    return this.#drain();
  }

  #find(part: number): OpenPart | undefined {
    return this.#parts.find((each) => each.part === part);
  }

  #drain(): readonly WireEvent[] {
    const events: WireEvent[] = [];
    for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
      const says = part.text !== "" || part.of.type === "tool-call" || part.of.type === "reasoning";
      if (part.index === undefined && says) events.push(...this.#start(part));
      if (part.text !== "") events.push(delta(part, deltaOf(part.of, part.text)));
      part.text = "";
      if (!part.isClosed) break;
      events.push(...ending(part));
      this.#parts.shift();
    }
    return events;
  }

  #start(part: OpenPart): readonly WireEvent[] {
    const { of, signature } = part;
    if (of.type !== "tool-call" || signature === undefined) return [this.#block(part, blockOf(of))];
    const data = carryCallSignature(of.id, signature);
    const signed: OpenPart = { part: -1, of: { type: "reasoning" }, text: "", isClosed: true };
    const events = [this.#block(signed, { type: "redacted_thinking", data }), ...ending(signed)];
    return [...events, this.#block(part, blockOf(of))];
  }

  #block(part: OpenPart, block: WireObject): WireEvent {
    part.index = this.#nextIndex;
    this.#nextIndex += 1;
    return anthropicEvent("content_block_start", { index: part.index, content_block: block });
  }
}

interface OpenPart {
  readonly part: number;
  readonly of: OpenedPart;
  /** What is not written yet. */
  text: string;
  isClosed: boolean;
  /** Of its block, once that is there. */
  index?: number;
  signature?: Signature;
}

function blockOf(of: OpenedPart): WireObject {
  if (of.type === "tool-call") return { type: "tool_use", id: of.id, name: of.name, input: {} };
  if (of.type !== "reasoning") return { type: "text", text: "" };
  if (of.redacted !== undefined) return { type: "redacted_thinking", data: carrySignature(of.redacted) };
  return { type: "thinking", thinking: "", signature: "" };
}

function ending(part: OpenPart): readonly WireEvent[] {
  if (part.index === undefined) return [];
  const stop = anthropicEvent("content_block_stop", { index: part.index });
  if (part.of.type !== "reasoning" || part.signature === undefined) return [stop];
  return [delta(part, { type: "signature_delta", signature: carrySignature(part.signature) }), stop];
}

function delta({ index }: OpenPart, value: WireObject): WireEvent {
  return anthropicEvent("content_block_delta", { index, delta: value });
}

function deltaOf(of: OpenedPart, text: string): WireObject {
  if (of.type === "tool-call") return { type: "input_json_delta", partial_json: text };
  return of.type === "reasoning" ? { type: "thinking_delta", thinking: text } : { type: "text_delta", text };
}
