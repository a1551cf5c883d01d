import { parseJson } from "../../../kernel/parse-json.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatPart, ChatTurn, PartSource, ToolResultPart } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withResultsInOrder } from "../with-results-in-order.ts";

export interface GeminiTurns {
  readonly system: readonly WireObject[];
  readonly contents: readonly WireObject[];
}

/**
 * The conversation as Google takes it: two roles in turn, results of functions in the user's, under the function's name.
 * @param takesIds whether the model knows ids of calls, which earlier ones refuse in Vertex AI
 */
export function writeGeminiTurns(turns: readonly ChatTurn[], takesIds: boolean): GeminiTurns | Deny {
  const system: WireObject[] = [];
  const contents: { role: string; parts: WireObject[] }[] = [];
  const known: KnownCalls = { names: new Map(), takesIds };
  for (const turn of withResultsInOrder(turns)) {
    const parts: WireObject[] = [];
    for (const part of turn.parts) {
      if (part.type === "tool-call") known.names.set(part.id, part.name);
      const written = writePart(part, known);
      if (written === undefined) return refuseUncarried(part.at, "Google's generateContent");
      parts.push(...written);
    }
    if (turn.role === "system" || turn.role === "developer") {
      system.push(...parts);
      continue;
    }
    if (parts.length === 0) continue;
    const role = turn.role === "assistant" ? "model" : "user";
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  }
  return { system, contents };
}

interface KnownCalls {
  readonly names: Map<string, string>;
  readonly takesIds: boolean;
}

function idOf(id: string, { takesIds }: KnownCalls): { readonly id?: string } {
  return takesIds ? { id } : {};
}

/** The parts of a part; none for one that means nothing here. Undefined for what cannot be said. */
function writePart(part: ChatPart, known: KnownCalls): readonly WireObject[] | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ text: part.text }];
    case "image":
    case "audio":
    case "file": {
      const written = writeSource(part.source, part.type);
      return written && [written];
    }
    case "tool-call": {
      const signature = part.signature?.of === "gemini" ? { thoughtSignature: part.signature.value } : {};
      const call = { ...idOf(part.id, known), name: part.name, args: objectOf(part.arguments) };
      return [{ functionCall: call, ...signature }];
    }
    case "tool-result":
      return writeResult(part, known);
    case "reasoning":
      if (part.signature?.of !== "gemini") return [];
      return [{ text: part.text, thought: true, thoughtSignature: part.signature.value }];
    default:
      return undefined;
  }
}

function writeResult(part: ToolResultPart, known: KnownCalls): readonly WireObject[] | undefined {
  const name = part.name ?? known.names.get(part.callId);
  if (name === undefined) return undefined; // a result of no call: Google goes by names
  const texts = part.parts.flatMap((each) => (each.type === "text" ? [each.text] : []));
  const media: WireObject[] = [];
  for (const each of part.parts) {
    if (each.type === "text") continue;
    const written = writeSource(each.source, each.type);
    if (written === undefined) return undefined;
    media.push(written);
  }
  const text = texts.join("\n");
  const response = part.isError === true ? { error: text } : responseOf(text);
  return [{ functionResponse: { ...idOf(part.callId, known), name, response } }, ...media];
}

/** What a function gave, as an object: Google takes nothing else. */
function responseOf(text: string): WireObject {
  const value = parsed(text);
  return isWireObject(value) ? value : { output: value ?? text };
}

function writeSource(source: PartSource, type: "image" | "audio" | "file"): WireObject | undefined {
  if (source.type === "file") return undefined; // an id that another provider gave
  if (source.type === "base64") return { inlineData: { mimeType: source.mediaType, data: source.data } };
  const mimeType = source.mediaType ?? guessed(source.url, type);
  return { fileData: { fileUri: source.url, ...(mimeType === undefined ? {} : { mimeType }) } };
}

const types: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  pdf: "application/pdf",
};

/** The media type by the address, which Google wants to be told. */
function guessed(url: string, type: "image" | "audio" | "file"): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  return types[/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ""] ?? (type === "image" ? "image/jpeg" : undefined);
}

function objectOf(text: string): WireObject {
  const value = parsed(text);
  return isWireObject(value) ? value : {};
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
