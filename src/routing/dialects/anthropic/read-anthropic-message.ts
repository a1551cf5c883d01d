import type {
  ChatPart,
  ChatTurn,
  FilePart,
  ImagePart,
  PartSource,
  Signature,
  TextPart,
  ToolResultPart,
} from "../chat-request.ts";
import type { MemberReader } from "../member-reader.ts";
import { readCacheMark } from "../read-cache-mark.ts";
import { readCallSignature, readSignature } from "./foreign-signature.ts";

/** One message as turns: the results of tools, which stand in the user's message here, are a turn of their own. */
export function readAnthropicMessage(message: MemberReader): readonly ChatTurn[] {
  const role = message.oneOf("role", ["user", "assistant", "system"]);
  if (role === undefined) throw message.fault("role", "must be user or assistant");
  const parts = readBlocks(message);
  message.finish();
  if (role !== "user") return [{ role, parts: role === "assistant" ? signCalls(parts) : parts, at: message.at }];
  const results = parts.filter(({ type }) => type === "tool-result");
  const rest = parts.filter(({ type }) => type !== "tool-result");
  const turns: ChatTurn[] = [];
  if (results.length > 0) turns.push({ role: "tool", parts: results, at: message.at });
  if (rest.length > 0 || results.length === 0) turns.push({ role: "user", parts: rest, at: message.at });
  return turns;
}

/** A member that is a text or a list of text blocks. */
export function readTextBlocks(holder: MemberReader, name: string): readonly ChatPart[] {
  const value = holder.any(name);
  if (value === undefined) return [];
  if (typeof value === "string") return [{ type: "text", text: value, at: holder.pathOf(name) }];
  return holder.objects(name).map((block) => {
    if (block.text("type") !== "text") throw block.fault("type", "must be text");
    return readBlock(block);
  });
}

function readBlocks(message: MemberReader): readonly ChatPart[] {
  const content = message.any("content");
  if (typeof content === "string") return [{ type: "text", text: content, at: message.pathOf("content") }];
  if (content === undefined) throw message.fault("content", "must be a string or a list of blocks");
  return message.objects("content").flatMap((block) => {
    if (known.has(block.text("type") ?? "")) return [readBlock(block)];
    block.uncarried("type"); // what a tool of Anthropic's own has asked or found
    return [];
  });
}

const known: ReadonlySet<string> = new Set([
  "text",
  "image",
  "document",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
]);

function readBlock(block: MemberReader): ChatPart {
  const cache = readCacheMark(block);
  const read = readBlockOf(block);
  block.finish();
  return { ...read, ...cache, at: block.at };
}

type BarePart = ChatPart extends infer Part ? (Part extends ChatPart ? Omit<Part, "at"> : never) : never;

function readBlockOf(block: MemberReader): BarePart {
  switch (block.text("type")) {
    case "text":
      block.passOver("citations"); // where an earlier answer's words came from
      return { type: "text", text: block.text("text") ?? "" };
    case "image":
      return { type: "image", source: readSource(block) };
    case "document":
      return readDocument(block);
    case "tool_use": {
      block.passOver("caller");
      const given = block.plain("input") ?? {};
      const call = { id: block.neededText("id"), name: block.neededText("name") };
      return { type: "tool-call", ...call, arguments: JSON.stringify(given) };
    }
    case "tool_result":
      return readResult(block);
    case "thinking": {
      const signature = readSignature(block.text("signature") ?? "");
      return {
        type: "reasoning",
        text: block.text("thinking") ?? "",
        ...(signature === undefined ? {} : { signature }),
      };
    }
    default: {
      const redacted = readSignature(block.neededText("data"));
      return { type: "reasoning", text: "", ...(redacted === undefined ? {} : { redacted }) };
    }
  }
}

function readDocument(block: MemberReader): BarePart {
  const name = block.text("title");
  const file: FilePart = { type: "file", source: readSource(block), ...(name === undefined ? {} : { name }) };
  if (block.object("citations")?.flag("enabled") === true) block.uncarried("citations");
  return file;
}

function readSource(block: MemberReader): PartSource {
  const source = block.object("source");
  if (source === undefined) throw block.fault("source", "must be an object");
  switch (source.text("type")) {
    case "base64":
      return { type: "base64", mediaType: source.neededText("media_type"), data: source.neededText("data") };
    case "url":
      return { type: "url", url: source.neededText("url") };
    case "file":
      return { type: "file", id: source.neededText("file_id") };
    case "text": {
      const data = Buffer.from(source.text("data") ?? "", "utf8").toString("base64");
      return { type: "base64", mediaType: source.text("media_type") ?? "text/plain", data };
    }
    default:
      throw source.fault("type", "must be base64, url, file or text");
  }
}

function readResult(block: MemberReader): ToolResultPart {
  const content = block.any("content");
  const parts =
    content === undefined || typeof content === "string"
      ? [{ type: "text" as const, text: content ?? "" }]
      : block.objects("content").map(readResultPart);
  const isError = block.flag("is_error");
  return {
    type: "tool-result",
    callId: block.neededText("tool_use_id"),
    parts,
    ...(isError === undefined ? {} : { isError }),
  };
}

function readResultPart(block: MemberReader): TextPart | ImagePart | FilePart {
  const { at: _at, ...part } = readBlock(block);
  if (part.type === "text" || part.type === "image" || part.type === "file") return part;
  throw block.fault("type", "must be text, image or document");
}

/** Puts what other providers have signed of calls back to the calls; see `carryCallSignature`. */
function signCalls(parts: readonly ChatPart[]): readonly ChatPart[] {
  const signatures = new Map<string, Signature>();
  const kept = parts.filter((part) => {
    const about =
      part.type === "reasoning" && part.redacted !== undefined ? readCallSignature(part.redacted) : undefined;
    if (about !== undefined) signatures.set(about.callId, about.signature);
    return about === undefined;
  });
  return kept.map((part) => {
    const signature = part.type === "tool-call" ? signatures.get(part.id) : undefined;
    return signature === undefined ? part : { ...part, signature };
  });
}
