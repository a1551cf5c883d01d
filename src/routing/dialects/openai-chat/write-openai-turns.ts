import type { Deny } from "../../../pipeline/outcome.ts";
import type { ChatPart, ChatTurn, PartSource, ToolCallPart, ToolResultPart } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";
import { refuseUncarried } from "../refuse-uncarried.ts";

/**
 * The messages of a chat request; thoughts and signatures of other providers stay behind, for they mean nothing here.
 * @param knowsDevelopers whether the server knows the role `developer`, which is `system` elsewhere
 */
export function writeOpenAiTurns(turns: readonly ChatTurn[], knowsDevelopers: boolean): readonly WireObject[] | Deny {
  const messages: WireObject[] = [];
  for (const turn of turns) {
    const written = writeTurn(turn, knowsDevelopers);
    if ("type" in written) return written;
    messages.push(...written.messages);
  }
  return messages;
}

type Written = { readonly messages: readonly WireObject[] } | Deny;

function writeTurn(turn: ChatTurn, knowsDevelopers: boolean): Written {
  switch (turn.role) {
    case "tool":
      return writeResults(turn);
    case "assistant":
      return writeAssistant(turn);
    default: {
      const content = writeContent(turn.parts);
      if ("type" in content) return content;
      const role = turn.role === "developer" && !knowsDevelopers ? "system" : turn.role;
      return { messages: [{ role, ...nameOf(turn), content: content.content }] };
    }
  }
}

function nameOf({ name }: ChatTurn): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

function writeAssistant(turn: ChatTurn): Written {
  const calls = turn.parts.filter((part) => part.type === "tool-call");
  const said = turn.parts.filter(({ type }) => type !== "tool-call" && type !== "reasoning" && type !== "refusal");
  const refusal = turn.parts.find(({ type }) => type === "refusal");
  const content = writeContent(said);
  if ("type" in content) return content;
  return {
    messages: [
      {
        role: "assistant",
        ...nameOf(turn),
        content: said.length === 0 ? null : content.content,
        ...(refusal?.type === "refusal" ? { refusal: refusal.text } : {}),
        ...(calls.length === 0 ? {} : { tool_calls: calls.map(writeToolCall) }),
      },
    ],
  };
}

/** A call as OpenAI writes it; what Google has signed travels where Google's own OpenAI endpoint has it. */
export function writeToolCall({ id, name, arguments: given, signature }: ToolCallPart): WireObject {
  const google =
    signature?.of === "gemini" ? { extra_content: { google: { thought_signature: signature.value } } } : {};
  return { id, type: "function", function: { name, arguments: given === "" ? "{}" : given }, ...google };
}

function writeResults(turn: ChatTurn): Written {
  const messages: WireObject[] = [];
  const images: WireObject[] = [];
  for (const part of turn.parts) {
    if (part.type !== "tool-result") return refuseUncarried(part.at, "OpenAI's chat completions");
    const { text, others } = splitResult(part);
    messages.push({ role: "tool", tool_call_id: part.callId, content: text });
    if (others.length === 0) continue;
    const written = writeContent(others);
    if ("type" in written) return written;
    // A tool's message holds text only, so what else it gave is said by the user right behind.
    images.push({ role: "user", content: [{ type: "text", text: `Result of ${part.callId}:` }, ...listed(written)] });
  }
  return { messages: [...messages, ...images] };
}

function splitResult(part: ToolResultPart & { readonly at: string }): {
  readonly text: string;
  readonly others: readonly ChatPart[];
} {
  const texts = part.parts.flatMap((each) => (each.type === "text" ? [each.text] : []));
  const others = part.parts.flatMap((each): readonly ChatPart[] =>
    each.type === "text" ? [] : [{ ...each, at: part.at }],
  );
  return { text: texts.join("\n"), others };
}

type Content = { readonly content: string | readonly WireObject[] };

function listed({ content }: Content): readonly WireObject[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** One text stays a string, which every server of this dialect takes. */
function writeContent(parts: readonly ChatPart[]): Content | Deny {
  const [only] = parts;
  if (parts.length === 0) return { content: "" };
  if (parts.length === 1 && only?.type === "text") return { content: only.text };
  const content: WireObject[] = [];
  for (const part of parts) {
    const written = writePart(part);
    if (written === undefined) return refuseUncarried(part.at, "OpenAI's chat completions");
    content.push(written);
  }
  return { content };
}

function writePart(part: ChatPart): WireObject | undefined {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image": {
      const url = urlOf(part.source);
      if (url === undefined) return undefined;
      return { type: "image_url", image_url: { url, ...(part.detail === undefined ? {} : { detail: part.detail }) } };
    }
    case "audio": {
      if (part.source.type !== "base64") return undefined;
      const format = part.format ?? part.source.mediaType.split("/")[1] ?? "wav";
      return { type: "input_audio", input_audio: { data: part.source.data, format } };
    }
    case "file": {
      if (part.source.type !== "base64") return undefined; // an address, or an id that another provider gave
      const name = part.name ?? "document.pdf";
      return { type: "file", file: { filename: name, file_data: urlOf(part.source) } };
    }
    default:
      return undefined;
  }
}

function urlOf(source: PartSource): string | undefined {
  if (source.type === "url") return source.url;
  return source.type === "base64" ? `data:${source.mediaType};base64,${source.data}` : undefined;
}
