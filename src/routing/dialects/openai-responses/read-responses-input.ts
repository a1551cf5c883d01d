import type { ChatPart, ChatTurn, FilePart, ImagePart, PartSource, Signature, TextPart } from "../chat-request.ts";
import type { MemberReader } from "../member-reader.ts";
import { sourceOf } from "../source-of.ts";

/** The input of a response as turns: what the model said and did between two messages of others is one turn of its own. */
export function readResponsesInput(top: MemberReader): readonly ChatTurn[] {
  const input = top.any("input");
  if (typeof input === "string") {
    return [{ role: "user", parts: [{ type: "text", text: input, at: "input" }], at: "input" }];
  }
  const turns: ChatTurn[] = [];
  for (const item of top.objects("input")) {
    const turn = readItem(item);
    if (turn === undefined) continue;
    const last = turns.at(-1);
    const goesOn = last?.role === turn.role && (turn.role === "assistant" || turn.role === "tool");
    if (last !== undefined && goesOn) turns.splice(-1, 1, { ...last, parts: [...last.parts, ...turn.parts] });
    else turns.push(turn);
  }
  if (turns.length === 0) throw top.fault("input", "must be a text or hold at least one item");
  return turns;
}

function readItem(item: MemberReader): ChatTurn | undefined {
  const { at } = item;
  const type = item.text("type") ?? "message";
  item.passOver("status", "id", "phase");
  switch (type) {
    case "message":
      return readMessage(item);
    case "function_call": {
      const [id, name] = [item.neededText("call_id"), item.neededText("name")];
      const part: ChatPart = { type: "tool-call", id, name, arguments: item.text("arguments") ?? "", at };
      item.finish();
      return { role: "assistant", parts: [part], at };
    }
    case "function_call_output": {
      const callId = item.neededText("call_id");
      const part: ChatPart = { type: "tool-result", callId, parts: readOutput(item), at };
      item.finish();
      return { role: "tool", parts: [part], at };
    }
    case "reasoning":
      return { role: "assistant", parts: [readReasoning(item)], at };
    default:
      item.uncarried("type"); // what a tool of OpenAI's own has done, or a thing that only its server holds
      return undefined;
  }
}

function readMessage(item: MemberReader): ChatTurn {
  const role = item.oneOf("role", ["user", "assistant", "system", "developer"]);
  if (role === undefined) throw item.fault("role", "must be a string");
  const content = item.any("content");
  const parts: readonly ChatPart[] =
    typeof content === "string"
      ? [{ type: "text", text: content, at: item.pathOf("content") }]
      : item.objects("content").map(readPart);
  item.finish();
  return { role, parts, at: item.at };
}

function readPart(part: MemberReader): ChatPart {
  const { at } = part;
  const type = part.oneOf("type", ["input_text", "output_text", "refusal", "input_image", "input_file", "input_audio"]);
  switch (type) {
    case "refusal":
      return { type: "refusal", text: part.text("refusal") ?? "", at };
    case "input_image":
      return { ...readImage(part), at };
    case "input_file":
      return { ...readFile(part), at };
    case "input_audio": {
      const audio = part.object("input_audio");
      if (audio === undefined) throw part.fault("input_audio", "must be an object");
      const format = audio.neededText("format");
      const source = { type: "base64" as const, mediaType: `audio/${format}`, data: audio.neededText("data") };
      return { type: "audio", source, format, at };
    }
    default:
      part.passOver("annotations", "logprobs");
      return { type: "text", text: part.text("text") ?? "", at };
  }
}

function readImage(part: MemberReader): ImagePart {
  const [url, id] = [part.text("image_url"), part.text("file_id")];
  if (url === undefined && id === undefined) throw part.fault("image_url", "must be a string");
  const detail = part.oneOf("detail", ["auto", "low", "high"]);
  const source: PartSource = url === undefined ? { type: "file", id: id ?? "" } : sourceOf(url);
  return { type: "image", source, ...(detail === undefined ? {} : { detail }) };
}

function readFile(part: MemberReader): FilePart {
  const [id, data, url] = [part.text("file_id"), part.text("file_data"), part.text("file_url")];
  const name = part.text("filename");
  if (id === undefined && data === undefined && url === undefined) {
    throw part.fault("file_data", "or file_url or file_id must be a string");
  }
  const source: PartSource = id === undefined ? sourceOf(data ?? url ?? "") : { type: "file", id };
  return { type: "file", source, ...(name === undefined ? {} : { name }) };
}

function readOutput(item: MemberReader): readonly (TextPart | ImagePart | FilePart)[] {
  const output = item.any("output");
  if (typeof output === "string") return [{ type: "text", text: output }];
  return item.objects("output").map((part) => {
    const { at: _at, ...read } = readPart(part);
    if (read.type === "text" || read.type === "image" || read.type === "file") return read;
    throw part.fault("type", "must be input_text, input_image or input_file");
  });
}

/** A thought; what another dialect has signed is told by `carried` in its id, as `writeReasoningItem` puts it there. */
function readReasoning(item: MemberReader): ChatPart {
  const texts = [...item.objects("summary"), ...item.objects("content")].map((part) => part.text("text") ?? "");
  const [id, encrypted] = [item.text("id"), item.text("encrypted_content")];
  item.finish();
  const read = { type: "reasoning" as const, text: texts.join("\n"), at: item.at };
  if (encrypted === undefined) return { ...read, ...(id === undefined ? {} : { id }) };
  return { ...read, signature: readCarried(encrypted), ...(id === undefined ? {} : { id }) };
}

const foreign = /^(openai-chat|anthropic-messages|gemini|bedrock-converse)~/;

/** A signature as a client of Responses carries it: OpenAI's own as it is, another's under its dialect's name. */
export function carryEncrypted({ of, value }: Signature): string {
  return of === "openai-responses" ? value : `${of}~${value}`;
}

function readCarried(encrypted: string): Signature {
  const found = foreign.exec(encrypted)?.[1];
  if (found === undefined) return { of: "openai-responses", value: encrypted };
  return { of: found as Signature["of"], value: encrypted.slice(found.length + 1) }; // the pattern holds dialects only
}
