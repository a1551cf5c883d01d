import type { DialectId } from "../../../pipeline/define-provider.ts";
import type { ChatPart, ChatTurn, PartSource, Signature, TextPart, ToolCallPart } from "../chat-request.ts";
import type { MemberReader } from "../member-reader.ts";
import { readCacheMark } from "../read-cache-mark.ts";
import { sourceOf } from "../source-of.ts";

type Mutable<Item> = Item[];

/** One message of a chat request. */
export function readOpenAiTurn(message: MemberReader): ChatTurn {
  const role = message.oneOf("role", ["system", "developer", "user", "assistant", "tool"]);
  if (role === undefined) throw message.fault("role", "must be a string");
  const name = message.text("name");
  const parts = role === "tool" ? [readToolResult(message)] : readParts(message, role === "assistant");
  message.finish();
  return { role, parts, ...(name === undefined ? {} : { name }), at: message.at };
}

function readParts(message: MemberReader, isAssistant: boolean): readonly ChatPart[] {
  const parts: Mutable<ChatPart> = [];
  if (isAssistant) parts.push(...readReasoning(message));
  parts.push(...readContent(message));
  if (!isAssistant) return parts;
  const refusal = message.text("refusal");
  if (refusal !== undefined) parts.push({ type: "refusal", text: refusal, at: message.pathOf("refusal") });
  for (const call of message.objects("tool_calls")) parts.push(readToolCall(call));
  message.passOver("annotations"); // where an earlier answer's facts came from
  return parts;
}

function readContent(message: MemberReader): readonly ChatPart[] {
  const content = message.any("content");
  if (content === undefined) return [];
  if (typeof content === "string") return [{ type: "text", text: content, at: message.pathOf("content") }];
  return message.objects("content").map(readPart);
}

function readPart(part: MemberReader): ChatPart {
  const type = part.oneOf("type", ["text", "image_url", "input_audio", "file", "refusal"]);
  const cache = readCacheMark(part);
  const read = readPartOf(type, part);
  part.finish();
  return { ...read, ...cache, at: part.at };
}

type BarePart = ChatPart extends infer Part ? (Part extends ChatPart ? Omit<Part, "at"> : never) : never;

function readPartOf(type: string | undefined, part: MemberReader): BarePart {
  switch (type) {
    case "text":
      return { type: "text", text: part.text("text") ?? "" };
    case "refusal":
      return { type: "refusal", text: part.text("refusal") ?? "" };
    case "image_url": {
      const image = part.object("image_url");
      if (image === undefined) throw part.fault("image_url", "must be an object");
      const detail = image.oneOf("detail", ["auto", "low", "high"]);
      const source = sourceOf(image.neededText("url"));
      image.finish();
      return { type: "image", source, ...(detail === undefined ? {} : { detail }) };
    }
    case "input_audio": {
      const audio = part.object("input_audio");
      if (audio === undefined) throw part.fault("input_audio", "must be an object");
      const format = audio.neededText("format");
      return {
        type: "audio",
        source: { type: "base64", mediaType: `audio/${format}`, data: audio.neededText("data") },
        format,
      };
    }
    case "file":
      return readFile(part);
    default:
      throw part.fault("type", "must be text, image_url, input_audio, file or refusal");
  }
}

function readFile(part: MemberReader): BarePart {
  const file = part.object("file");
  const [id, data, name] = [file?.text("file_id"), file?.text("file_data"), file?.text("filename")];
  if (id === undefined && data === undefined) throw part.fault("file", "must have file_data or file_id");
  const source: PartSource = id === undefined ? sourceOf(data ?? "") : { type: "file", id };
  return { type: "file", source, ...(name === undefined ? {} : { name }) };
}

function readToolCall(call: MemberReader): ChatPart {
  if ((call.text("type") ?? "function") !== "function") throw call.fault("type", "must be function");
  const about = call.object("function");
  if (about === undefined) throw call.fault("function", "must be an object");
  call.passOver("index");
  const google = call.object("extra_content")?.object("google");
  const signature = google?.text("thought_signature");
  const read: ToolCallPart = {
    type: "tool-call",
    id: call.neededText("id"),
    name: about.neededText("name"),
    arguments: about.text("arguments") ?? "",
    ...(signature === undefined ? {} : { signature: { of: "gemini", value: signature } }),
  };
  call.finish();
  return { ...read, at: call.at };
}

function readToolResult(message: MemberReader): ChatPart {
  const callId = message.neededText("tool_call_id");
  const parts = readContent(message).map((part): TextPart => {
    if (part.type !== "text") throw message.fault("content", "of a tool's result must be text");
    return { type: "text", text: part.text };
  });
  return { type: "tool-result", callId, parts, ...readCacheMark(message), at: message.at };
}

/**
 * What an earlier answer of ours told of the model's thoughts: `thinking_blocks` with what their provider signed, else
 * `reasoning_content`, which is text that no provider takes back.
 */
function readReasoning(message: MemberReader): readonly ChatPart[] {
  const blocks = message.objects("thinking_blocks");
  message.passOver("reasoning_content", "reasoning");
  return blocks.map((block): ChatPart => {
    const of: DialectId = block.oneOf("dialect", dialects) ?? "anthropic-messages";
    if (block.text("type") === "redacted_thinking") {
      return { type: "reasoning", text: "", redacted: { of, value: block.neededText("data") }, at: block.at };
    }
    const value = block.text("signature");
    const id = block.text("id");
    const signature: { readonly signature?: Signature } = value === undefined ? {} : { signature: { of, value } };
    return {
      type: "reasoning",
      text: block.text("thinking") ?? "",
      ...signature,
      ...(id === undefined ? {} : { id }),
      at: block.at,
    };
  });
}

const dialects: readonly DialectId[] = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
];
