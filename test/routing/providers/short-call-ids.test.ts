import { expect, test } from "vitest";
import { shortCallIds } from "../../../src/routing/providers/short-call-ids.ts";

const history = (call: string) => ({
  big: 1,
  messages: [
    { role: "user", content: 'the id is "call_1", and "tool_call_id" a word' },
    { role: "assistant", tool_calls: [{ id: call, function: { name: "f", arguments: '{"id":"toolu_1"}' } }] },
    { role: "tool", tool_call_id: call, content: "ok" },
  ],
});

test("a call and its result get the same nine letters and digits, and nothing else changes", () => {
  const body = Buffer.from(JSON.stringify(history("toolu_01A-b_c")).replace('"big":1', '"big":12345678901234567890'));
  const text = shortCallIds(body).toString();
  const id = /"tool_calls":\[\{"id":"([a-zA-Z0-9]{9})"/.exec(text)?.[1] ?? "";
  expect(text).toBe(body.toString().replaceAll("toolu_01A-b_c", id));
  expect(shortCallIds(body).toString()).toBe(text);
});

test("different ids stay different", () => {
  const idOf = (id: string) =>
    /"tool_call_id":"(\w+)"/.exec(shortCallIds(Buffer.from(JSON.stringify(history(id)))).toString());
  const made = Array.from({ length: 500 }, (_, index) => idOf(`call_${index}`)?.[1]);
  expect(new Set(made).size).toBe(500);
});

test.each([
  { name: "whose ids all fit", body: JSON.stringify(history("D681PevKs")) },
  { name: "without calls", body: '{"messages":[{"role":"user","content":"hi"}]}' },
  { name: "that is no chat", body: '{"messages":7,"tool_calls":1}' },
])("a body $name is the same buffer", ({ body }) => {
  const bytes = Buffer.from(body);
  expect(shortCallIds(bytes)).toBe(bytes);
});
