import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/llm/mistral/${name}.json`, import.meta.url), "utf8"));

test("a thought in a list of contents is told as a thought", () => {
  expect(openAiChat.readAnswer(fixture("reasoning")).candidates[0]?.parts).toEqual([
    { type: "reasoning", text: "17 × 23 = 391." },
    { type: "text", text: "391" },
  ]);
});

test.each([
  { name: "error-400", status: 400, kind: "context-window", message: /too large for model/ },
  { name: "error-401", status: 401, kind: "authentication", message: /^Unauthorized$/ },
  { name: "error-422", status: 422, kind: "invalid-request", message: /extra_forbidden/ },
  { name: "error-429", status: 429, kind: "rate-limit", message: /rate limit/ },
])("$name is understood, and its reason told", ({ name, status, kind, message }) => {
  expect(openAiChat.readError(status, fixture(name))).toMatchObject({
    kind,
    message: expect.stringMatching(message) as string,
  });
});
