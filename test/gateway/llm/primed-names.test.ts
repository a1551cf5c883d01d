import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

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

test.each([
  ["a text", '"role":"user"', "content"],
  ["the list of turns", '"model":"m"', "messages"],
])("no request prepares the engine to overlook the name of %s", async (_, before, name) => {
  upstream.respond(chatAnswer("fine"), chatAnswer("fine"), chatAnswer("fine"));
  const api = await gatehouse.llm(`primed-${name}`, `${upstream.url}/v1`, {
    policies: [{ use: "regex", with: { patterns: [{ pattern: "tiger" }] } }] as never, // the schema checks it
  });
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const send = async (body: string): Promise<number> =>
    (await rawHttp(`${api.url}/chat/completions`, { headers, body })).status;
  const evil = '{"model":"m","messages":[{"role":"user","content":"tiger"}]}';
  const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`;
  const taken = escaped.slice(0, name.length).replace("\\", "\\\\");

  expect(await send(evil)).toBe(422);
  await send(`{${before},"${taken}":1}`);
  await send(`{"model":"m","messages":[{${before},"${taken}":1}]}`);
  expect(await send(evil.replace(`"${name}"`, `"${escaped}"`))).toBe(422);
});
