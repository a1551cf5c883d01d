import { describe, expect, test } from "vitest";
import { addTurns } from "../../../src/gateway/llm/add-turns.ts";
import { decodeChat } from "../../../src/gateway/llm/decode-llm.ts";
import { requestSpans } from "../../../src/gateway/llm/llm-spans.ts";
import type { AddedTurn } from "../../../src/pipeline/adapter.ts";
import { buildExchange } from "../../kit/exchange.ts";

const system: AddedTurn = { role: "system", text: 'Be "kind".' };
const user: AddedTurn = { role: "user", text: "And then?" };
const chat = "/v1/chat/completions";
const messages = "/v1/messages";
const responses = "/v1/responses";
const hello = { role: "user", content: "hello" };
const item = (role: string, content: string) => ({ type: "message", role, content });

describe.each([
  {
    dialect: "chat",
    path: chat,
    body: { messages: [hello] },
    first: { messages: [{ role: "system", content: 'Be "kind".' }, { role: "user", content: "And then?" }, hello] },
    last: { messages: [hello, { role: "system", content: 'Be "kind".' }, { role: "user", content: "And then?" }] },
  },
  {
    dialect: "a chat without turns",
    path: chat,
    body: { messages: [] },
    first: {
      messages: [
        { role: "system", content: 'Be "kind".' },
        { role: "user", content: "And then?" },
      ],
    },
    last: {
      messages: [
        { role: "system", content: 'Be "kind".' },
        { role: "user", content: "And then?" },
      ],
    },
  },
  {
    dialect: "Messages",
    path: messages,
    body: { messages: [hello] },
    first: { system: 'Be "kind".', messages: [{ role: "user", content: "And then?" }, hello] },
    last: { system: 'Be "kind".', messages: [hello, { role: "user", content: "And then?" }] },
  },
  {
    dialect: "Messages with a set-up",
    path: messages,
    body: { system: "Be brief.", messages: [hello] },
    first: { system: 'Be "kind".\n\nBe brief.', messages: [{ role: "user", content: "And then?" }, hello] },
    last: { system: 'Be brief.\n\nBe "kind".', messages: [hello, { role: "user", content: "And then?" }] },
  },
  {
    dialect: "Messages with a set-up in blocks",
    path: messages,
    body: { system: [{ type: "text", text: "Be brief." }], messages: [hello] },
    first: {
      system: [
        { type: "text", text: 'Be "kind".' },
        { type: "text", text: "Be brief." },
      ],
      messages: [{ role: "user", content: "And then?" }, hello],
    },
    last: {
      system: [
        { type: "text", text: "Be brief." },
        { type: "text", text: 'Be "kind".' },
      ],
      messages: [hello, { role: "user", content: "And then?" }],
    },
  },
  {
    dialect: "Responses with a text",
    path: responses,
    body: { input: "hello" },
    first: { input: [item("system", 'Be "kind".'), item("user", "And then?"), item("user", "hello")] },
    last: { input: [item("user", "hello"), item("system", 'Be "kind".'), item("user", "And then?")] },
  },
  {
    dialect: "Responses with items",
    path: responses,
    body: { input: [hello] },
    first: { input: [item("system", 'Be "kind".'), item("user", "And then?"), hello] },
    last: { input: [hello, item("system", 'Be "kind".'), item("user", "And then?")] },
  },
  {
    dialect: "Responses without input",
    path: responses,
    body: { prompt: { id: "p" } },
    first: { prompt: { id: "p" }, input: [item("system", 'Be "kind".'), item("user", "And then?")] },
    last: { prompt: { id: "p" }, input: [item("system", 'Be "kind".'), item("user", "And then?")] },
  },
])("turns of $dialect", ({ path, body, first, last }) => {
  test.each([
    ["first", first],
    ["last", last],
  ] as const)("are added %s", async (where, expected) => {
    const operation = await decoded(path, body);
    addTurns(operation, [system, user], where);
    expect(JSON.parse(operation.body.toString())).toEqual({ model: "m", ...expected, big: 1 });
    expect(operation.body.toString()).toContain('"big":   1'); // every other byte stays
    expect(requestSpans(operation).some(({ text }) => text === "And then?")).toBe(true);
  });
});

test("what is no conversation stays as it is, and so does what is no list", async () => {
  const embeddings = await decoded("/v1/embeddings", { input: "hello" });
  const wrong = await decoded(chat, { messages: "hello" });
  for (const operation of [embeddings, wrong]) {
    const before = operation.body.toString();
    addTurns(operation, [user], "first");
    expect(operation.body.toString()).toBe(before);
  }
});

async function decoded(path: string, body: object) {
  const text = JSON.stringify({ model: "m", ...body, big: 1 }).replace('"big":1', '"big":   1');
  const operations = await decodeChat(buildExchange(), path, Buffer.from(text));
  const [operation] = "type" in operations ? [] : operations;
  if (operation === undefined) throw new Error("it was refused");
  return operation;
}
