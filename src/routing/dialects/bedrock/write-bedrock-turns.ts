import { parseJson } from "../../../kernel/parse-json.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { ChatPart, ChatTurn, FilePart, ImagePart, ToolResultPart } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";

export interface BedrockTurns {
  readonly system: readonly WireObject[];
  readonly messages: readonly WireObject[];
  /** Names of the functions that the history calls, in order. */
  readonly called: readonly string[];
}

const cachePoint: WireObject = { cachePoint: { type: "default" } };

/** The conversation as Bedrock takes it: user and assistant in turn, the user first, results in the user's. */
export function writeBedrockTurns(turns: readonly ChatTurn[]): BedrockTurns | Deny {
  const system: WireObject[] = [];
  const messages: { role: string; content: WireObject[] }[] = [];
  const called = new Set<string>();
  for (const turn of turns) {
    const blocks: WireObject[] = [];
    for (const part of turn.parts) {
      const written = writePart(part);
      if (written === undefined) return refuseUncarried(part.at, "Bedrock's Converse");
      blocks.push(...written);
      if (part.cache !== undefined) blocks.push(cachePoint);
      if (part.type === "tool-call") called.add(part.name);
    }
    if (turn.role === "system" || turn.role === "developer") {
      system.push(...blocks);
      continue;
    }
    if (blocks.length === 0) continue;
    const role = turn.role === "assistant" ? "assistant" : "user";
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
  if (messages[0]?.role !== "user") {
    return deny("request.invalid", "A conversation with a model of Bedrock's begins with the user.", {
      param: "messages",
    });
  }
  return { system, messages, called: [...called] };
}

function writePart(part: ChatPart): readonly WireObject[] | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ text: part.text }]; // an empty block is refused
    case "image":
    case "file": {
      const written = writeSource(part);
      return written && [written];
    }
    case "tool-call":
      return [{ toolUse: { toolUseId: plainId(part.id), name: part.name, input: inputOf(part.arguments) } }];
    case "tool-result": {
      const content = writeResult(part);
      const status = part.isError === true ? { status: "error" } : {};
      return content && [{ toolResult: { toolUseId: plainId(part.callId), content, ...status } }];
    }
    case "reasoning":
      return writeReasoning(part);
    default:
      return undefined;
  }
}

function writeReasoning(part: Extract<ChatPart, { type: "reasoning" }>): readonly WireObject[] {
  if (part.redacted?.of === "bedrock-converse") return [{ reasoningContent: { redactedContent: part.redacted.value } }];
  if (part.signature?.of !== "bedrock-converse") return [];
  return [{ reasoningContent: { reasoningText: { text: part.text, signature: part.signature.value } } }];
}

function writeResult({ parts }: ToolResultPart): readonly WireObject[] | undefined {
  const content: WireObject[] = [];
  for (const part of parts) {
    const written = part.type === "text" ? { text: part.text } : writeSource(part);
    if (written === undefined) return undefined;
    content.push(written);
  }
  return content;
}

const imageFormats: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp",
};

const documentFormats: Readonly<Record<string, string>> = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
};

/** Bytes only: Bedrock fetches nothing but from S3. */
function writeSource(part: ImagePart | FilePart): WireObject | undefined {
  if (part.source.type !== "base64") return undefined;
  const { mediaType, data: bytes } = part.source;
  if (part.type === "image") {
    const format = imageFormats[mediaType];
    return format === undefined ? undefined : { image: { format, source: { bytes } } };
  }
  const format = documentFormats[mediaType];
  if (format === undefined) return undefined;
  // Names have letters, digits, single blanks, hyphens and brackets only.
  const name =
    (part.name ?? "document")
      .replaceAll(/[^\w()[\]-]+/g, " ")
      .replaceAll("_", "-")
      .trim() || "document";
  return { document: { format, name, source: { bytes } } };
}

/** Bedrock's ids have letters, digits, `_` and `-`, at most 64; calls and results are changed alike. */
function plainId(id: string): string {
  return id.replaceAll(/[^\w-]/g, "_").slice(-64);
}

function inputOf(text: string): WireObject {
  try {
    const value: unknown = parseJson(text);
    return isWireObject(value) ? value : {};
  } catch {
    return {}; // cut off, or no JSON: it says nothing
  }
}
