import type { ByteEdit, ByteRange } from "../../kernel/json-scan.ts";
import { spliceBytes } from "../../kernel/json-scan.ts";
import type { AddedTurn } from "../../pipeline/adapter.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest, replaceBody } from "./llm-request.ts";

/** Puts turns into a chat, or into a chat whose tokens are counted, as its dialect writes them. */
export function addTurns(operation: Operation, turns: readonly AddedTurn[], where: "first" | "last"): void {
  const request = llmRequest(operation);
  if ((request.kind !== "chat" && request.kind !== "count-tokens") || turns.length === 0) return;
  const edits = editsOf(request, turns, where);
  // At the same place, what is inserted first stands first: one edit a member, so none meet but at the opening brace.
  for (const edit of edits) replaceBody(operation, spliceBytes(operation.body, [edit(operation)]));
}

/** An edit of the body as it is when its turn comes. */
type LateEdit = (operation: Operation) => ByteEdit;

function editsOf(request: LlmRequest, turns: readonly AddedTurn[], where: "first" | "last"): readonly LateEdit[] {
  const isSystem = ({ role }: AddedTurn): boolean => role === "system";
  switch (request.dialect) {
    case "openai-chat":
      return [intoList("messages", turns.map(chatTurn), where)];
    case "openai-responses":
      return [intoInput(turns.map(responsesTurn), where)];
    case "anthropic-messages": {
      const setUp = turns.filter(isSystem).map(({ text }) => text);
      const talk = turns.filter((turn) => !isSystem(turn)).map(chatTurn);
      return [
        ...(setUp.length > 0 ? [intoSystem(setUp, where)] : []),
        ...(talk.length > 0 ? [intoList("messages", talk, where)] : []),
      ];
    }
  }
}

function chatTurn({ role, text }: AddedTurn): string {
  return JSON.stringify({ role, content: text });
}

function responsesTurn({ role, text }: AddedTurn): string {
  return JSON.stringify({ type: "message", role, content: text });
}

/** What is no list is the upstream's to refuse; a list is made where there is none. */
function intoList(name: string, items: readonly string[], where: "first" | "last"): LateEdit {
  return (operation) => {
    const { json, scan } = llmRequest(operation);
    const at = scan.members.get(name);
    const list: unknown = json[name];
    if (at === undefined) return newMember(scan, name, `[${items.join(",")}]`);
    return Array.isArray(list) ? insertItems(at, list.length, items, where) : nothing;
  };
}

function intoInput(items: readonly string[], where: "first" | "last"): LateEdit {
  return (operation) => {
    const { json, scan } = llmRequest(operation);
    const at = scan.members.get("input");
    const { input } = json;
    if (at === undefined || typeof input !== "string") return intoList("input", items, where)(operation);
    const own = responsesTurn({ role: "user", text: input });
    const all = where === "first" ? [...items, own] : [own, ...items];
    return { start: at[0], end: at[1], replacement: `[${all.join(",")}]` };
  };
}

/** Anthropic's set-up is a text or a list of blocks beside the turns. */
function intoSystem(texts: readonly string[], where: "first" | "last"): LateEdit {
  return (operation) => {
    const { json, scan } = llmRequest(operation);
    const at = scan.members.get("system");
    const { system } = json;
    if (at === undefined) return newMember(scan, "system", JSON.stringify(texts.join("\n\n")));
    if (Array.isArray(system)) {
      const blocks = texts.map((text) => JSON.stringify({ type: "text", text }));
      return insertItems(at, system.length, blocks, where);
    }
    if (typeof system !== "string") return nothing;
    const all = where === "first" ? [...texts, system] : [system, ...texts];
    return { start: at[0], end: at[1], replacement: JSON.stringify(all.filter((text) => text !== "").join("\n\n")) };
  };
}

function insertItems(
  [start, end]: ByteRange,
  length: number,
  items: readonly string[],
  where: "first" | "last",
): ByteEdit {
  const place = where === "first" ? start + 1 : end - 1;
  const text = items.join(",");
  if (length === 0) return { start: place, end: place, replacement: text };
  return { start: place, end: place, replacement: where === "first" ? `${text},` : `,${text}` };
}

function newMember({ insertAt, members }: LlmRequest["scan"], name: string, value: string): ByteEdit {
  const comma = members.size === 0 ? "" : ",";
  return { start: insertAt, end: insertAt, replacement: `${JSON.stringify(name)}:${value}${comma}` };
}

const nothing: ByteEdit = { start: 0, end: 0, replacement: "" };
