import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatPart, ChatTurn, FilePart, ImagePart, TextPart, ToolResultPart } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";
import { withoutAbsent } from "../without-absent.ts";

/** The items of a response's input; calls, results and thoughts are items of their own between the messages. */
export function writeResponsesInput(turns: readonly ChatTurn[]): readonly WireObject[] | Deny {
  const items: WireObject[] = [];
  for (const turn of turns) {
    let content: WireObject[] = [];
    const endMessage = (): void => {
      if (content.length > 0) items.push({ type: "message", role: turn.role === "tool" ? "user" : turn.role, content });
      content = [];
    };
    for (const part of turn.parts) {
      const item = writeItem(part);
      if (item === "lost") return refuseUncarried(part.at, "OpenAI's Responses");
      if (item !== undefined) {
        endMessage();
        items.push(...item);
        continue;
      }
      const written = writePart(part, turn.role === "assistant");
      if (written === undefined) return refuseUncarried(part.at, "OpenAI's Responses");
      content.push(written);
    }
    endMessage();
  }
  return items;
}

/** A part that is an item by itself; undefined for one that stands in a message. */
function writeItem(part: ChatPart): readonly WireObject[] | "lost" | undefined {
  switch (part.type) {
    case "tool-call": {
      const given = part.arguments === "" ? "{}" : part.arguments;
      return [{ type: "function_call", call_id: part.id, name: part.name, arguments: given }];
    }
    case "tool-result":
      return writeResult(part);
    case "reasoning":
      // Without what OpenAI has encrypted, a thought means nothing to it.
      if (part.signature?.of !== "openai-responses") return [];
      return [
        withoutAbsent({
          type: "reasoning",
          id: part.id,
          summary: part.text === "" ? [] : [{ type: "summary_text", text: part.text }],
          encrypted_content: part.signature.value,
        }),
      ];
    default:
      return undefined;
  }
}

function writeResult({ callId, parts }: ToolResultPart): readonly WireObject[] | "lost" {
  const [only] = parts;
  if (parts.length === 0) return [{ type: "function_call_output", call_id: callId, output: "" }];
  if (parts.length === 1 && only?.type === "text") {
    return [{ type: "function_call_output", call_id: callId, output: only.text }];
  }
  const output: WireObject[] = [];
  for (const part of parts) {
    const written = writePart(part, false);
    if (written === undefined) return "lost";
    output.push(written);
  }
  return [{ type: "function_call_output", call_id: callId, output }];
}

function writePart(part: ChatPart | TextPart | ImagePart | FilePart, isModels: boolean): WireObject | undefined {
  switch (part.type) {
    case "text":
      return { type: isModels ? "output_text" : "input_text", text: part.text };
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "image":
      return writeImage(part);
    case "file":
      return writeFile(part);
    case "audio": {
      if (part.source.type !== "base64") return undefined;
      const format = part.format ?? part.source.mediaType.split("/")[1] ?? "wav";
      return { type: "input_audio", input_audio: { data: part.source.data, format } };
    }
    default:
      return undefined;
  }
}

function writeImage({ source, detail }: ImagePart): WireObject | undefined {
  if (source.type === "file") return undefined; // an id that another provider gave
  const url = source.type === "url" ? source.url : `data:${source.mediaType};base64,${source.data}`;
  return withoutAbsent({ type: "input_image", image_url: url, detail });
}

function writeFile({ source, name }: FilePart): WireObject | undefined {
  if (source.type === "file") return undefined;
  if (source.type === "url") return { type: "input_file", file_url: source.url };
  const data = `data:${source.mediaType};base64,${source.data}`;
  return { type: "input_file", filename: name ?? "document.pdf", file_data: data };
}
