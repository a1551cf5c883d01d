import type { MediaKind } from "../../core/model-facts.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import { boundOf } from "./answer-bound.ts";
import { llmRequest } from "./llm-request.ts";

/** What a chat needs of a model. */
export interface RequestNeeds {
  readonly tools: boolean;
  readonly media: readonly MediaKind[];
  /** Tokens that the answer may have, as the client says; 0 where it does not. */
  readonly output: number;
  /** Bytes of the body without what pictures and the like take. */
  readonly textBytes: number;
}

const kinds: Readonly<Record<string, MediaKind>> = {
  image_url: "image",
  image: "image",
  input_image: "image",
  input_audio: "audio",
  file: "file",
  document: "file",
  input_file: "file",
};

const needs = new WeakMap<object, RequestNeeds>();

/** Looked for once for each body, and only when a target asks. Undefined for what is no chat. */
export function requestNeeds(operation: Operation): RequestNeeds | undefined {
  const { kind, json } = llmRequest(operation);
  if (kind !== "chat") return undefined;
  const known = needs.get(json);
  if (known !== undefined) return known;
  const tools = [json["tools"], json["functions"]].some((list) => Array.isArray(list) && list.length > 0);
  const media = new Set<MediaKind>();
  let mediaBytes = 0;
  for (const part of partsOf(json)) {
    const found = typeof part["type"] === "string" ? kinds[part["type"]] : undefined;
    if (found === undefined) continue;
    media.add(found);
    mediaBytes += dataLength(part, 3);
  }
  const textBytes = Math.max(0, operation.body.length - mediaBytes);
  const found = { tools, media: [...media], output: boundOf(json) ?? 0, textBytes };
  needs.set(json, found);
  return found;
}

function partsOf(json: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  const turns = Array.isArray(json["messages"]) ? json["messages"] : json["input"];
  if (!Array.isArray(turns)) return [];
  return turns.flatMap((turn: unknown) => {
    const content = isObject(turn) ? turn["content"] : undefined;
    return Array.isArray(content) ? content.filter(isObject) : [];
  });
}

/** Characters of all strings in a part, which are its data but for a few names. */
function dataLength(part: Readonly<Record<string, unknown>>, depth: number): number {
  let length = 0;
  for (const value of Object.values(part)) {
    if (typeof value === "string") length += value.length;
    else if (depth > 0 && isObject(value)) length += dataLength(value, depth - 1);
  }
  return length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
