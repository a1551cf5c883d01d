import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test("long requests and answers are judged as short ones are", async () => {
  const patterns = [{ pattern: "tiger-[0-9]", action: "redact", replacement: "[cat]" }];
  const api = await gatehouse.llm("long", `${upstream.url}/v1`, {
    policies: [{ use: "regex", with: { patterns } }],
  });
  const long = (animal: string): string => `${"a word ".repeat(40_000)}${animal}${" naïve 𝒳".repeat(1_000)}`;
  upstream.respond(chatAnswer(`${"a word ".repeat(40_000)}tiger-7`));
  const answer = await rawHttp(`${api.url}/chat/completions`, {
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: long("tiger-7") }] }),
  });
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({ choices: [{ message: { content: `${"a word ".repeat(40_000)}[cat]` } }] });
  const sent = JSON.parse(String(upstream.seen.at(-1)?.body)) as { messages: { content: string }[] }; // as sent above
  expect(sent.messages[0]?.content === long("[cat]")).toBe(true);
});
