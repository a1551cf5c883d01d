import { parseJson } from "../../../kernel/parse-json.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { ChatPart, ChatTurn, FilePart, ImagePart, ToolResultPart } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withResultsInOrder } from "../with-results-in-order.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeCacheMark } from "./write-cache-mark.ts";

export interface AnthropicTurns {
  readonly system: readonly WireObject[];
  readonly messages: readonly WireObject[];
  /** Names of the functions that the history calls, in order. */
  readonly called: readonly string[];
}

/**
 * The conversation as Anthropic takes it: system texts in front in their order, messages of one role in a row as one,
 * results of tools before whatever else the user says, in the order of their calls.
 */
export function writeAnthropicTurns(turns: readonly ChatTurn[]): AnthropicTurns | Deny {
  const system: WireObject[] = [];
  const messages: { role: string; content: WireObject[] }[] = [];
  const called = new Set<string>();
  for (const turn of withResultsInOrder(turns)) {
    const blocks: WireObject[] = [];
    for (const part of turn.parts) {
      const written = writePart(part);
      if (written === undefined) return refuseUncarried(part.at, "Anthropic's Messages");
      blocks.push(...written);
      if (part.type === "tool-call") called.add(part.name);
    }
    if (turn.role === "system" || turn.role === "developer") {
      system.push(...blocks);
      continue;
    }
    if (blocks.length === 0) continue;
    const role = turn.role === "assistant" ? "assistant" : "user";
    const last = messages.at(-1);
    if (last?.role !== role) messages.push({ role, content: blocks });
    else if (turn.role === "tool") last.content.splice(resultsIn(last.content), 0, ...blocks);
    else last.content.push(...blocks);
  }
  if (messages[0]?.role !== "user") {
    const message = "A conversation with a model of Anthropic's begins with the user.";
    return deny("request.invalid", message, { param: "messages" });
  }
  return { system, messages, called: [...called] };
}

function resultsIn(content: readonly WireObject[]): number {
  const other = content.findIndex((block) => block["type"] !== "tool_result");
  return other < 0 ? content.length : other;
}

/** The blocks of a part; none for one that says nothing or means nothing here. Undefined for what cannot be said. */
function writePart(part: ChatPart): readonly WireObject[] | undefined {
  const mark = part.cache === undefined ? {} : { cache_control: writeCacheMark(part.cache) };
  const block = (value: WireObject): readonly WireObject[] => [{ ...value, ...mark }];
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : block({ type: "text", text: part.text }); // an empty block is refused
    case "image":
    case "file": {
      const written = writeSource(part);
      return written && block(written);
    }
    case "tool-call":
      return block({ type: "tool_use", id: plainId(part.id), name: part.name, input: inputOf(part.arguments) });
    case "tool-result": {
      const content = writeResult(part);
      const error = part.isError === true ? { is_error: true } : {};
      return content && block({ type: "tool_result", tool_use_id: plainId(part.callId), content, ...error });
    }
    case "reasoning":
      if (part.redacted?.of === "anthropic-messages") return [{ type: "redacted_thinking", data: part.redacted.value }];
      if (part.signature?.of !== "anthropic-messages") return [];
      return [{ type: "thinking", thinking: part.text, signature: part.signature.value }];
    default:
      return undefined;
  }
}

function writeResult({ parts }: ToolResultPart): readonly WireObject[] | undefined {
  const content: WireObject[] = [];
  for (const part of parts) {
    const written = part.type === "text" ? { type: "text", text: part.text } : writeSource(part);
    if (written === undefined) return undefined;
    if (part.type !== "text" || part.text !== "") content.push(written);
  }
  return content;
}

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** An image or a document; undefined for a kind that Anthropic does not read, or an id that another provider gave. */
function writeSource({ type, source, ...rest }: ImagePart | FilePart): WireObject | undefined {
  const title = "name" in rest ? rest.name : undefined;
  const holder = type === "image" ? { type: "image" } : withoutAbsent({ type: "document", title });
  if (source.type === "url") return { ...holder, source: { type: "url", url: source.url } };
  if (source.type === "file") return undefined;
  const { mediaType, data } = source;
  if (type === "file" && mediaType.startsWith("text/")) {
    const text = Buffer.from(data, "base64").toString("utf8");
    return { ...holder, source: { type: "text", media_type: "text/plain", data: text } };
  }
  if (type === "image" ? !imageTypes.has(mediaType) : mediaType !== "application/pdf") return undefined;
  return { ...holder, source: { type: "base64", media_type: mediaType, data } };
}

/** Anthropic's ids have letters, digits, `_` and `-`; calls and results are changed alike. */
function plainId(id: string): string {
  return id.replaceAll(/[^\w-]/g, "_");
}

/** The arguments as an object; what a model wrote that is none, such as a cut off text, says nothing. */
function inputOf(text: string): WireObject {
  try {
    const value: unknown = parseJson(text);
    return isWireObject(value) ? value : {};
  } catch {
    return {};
  }
}
