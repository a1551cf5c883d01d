import { afterAll, beforeAll, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import { manyTools } from "../../kit/many-tools.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let embeddings: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("hello"));
  embeddings = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "embedding", value: "none" });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await embeddings[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const tools = manyTools(20).map((tool) => ({ type: "function", function: tool }));
const body = JSON.stringify({ model: "m", tools, messages: [{ role: "user", content: "Please cancel my flight." }] });

/** What an API whose filter uses the embedder sends on, and says of it. */
async function ask(name: string, deadlineMs: number) {
  const at = { apiKey: "${secret:embedding}", baseUrl: `${embeddings.url}/v1` };
  const embedder = { use: "openai", with: { ...at, model: name } }; // vectors of one model are kept
  const policies = [{ use: "semantic-tool-filter", with: { limit: 5, deadlineMs, embedder } }];
  const { url, key } = await gatehouse.llm(name, `${upstream.url}/v1`, { policies });
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const { status, headers: told } = await rawHttp(`${url}/chat/completions`, { headers, body });
  return { status, told: told["x-gatehouse-tools"], isWhole: upstream.seen.at(-1)?.body.toString() === body };
}

/** Vectors, as long as is said for so many texts. */
function vectorsOf(length: (texts: number) => number): Respond {
  return (request, response) => {
    const { input } = JSON.parse(request.body.toString()) as { input: readonly string[] }; // as embedders ask
    const numbers = Array.from({ length: length(input.length) }, () => 1);
    const data = input.map((_, index) => ({ object: "embedding", index, embedding: numbers }));
    return json(200, { object: "list", data })(request, response);
  };
}

test("an embedder that answers in time is asked", async () => {
  embeddings.respond(vectorsOf(() => 3));
  expect(await ask("well", 10_000)).toEqual({ status: 200, told: "20;kept=5", isWhole: false });
});

test.each<[string, number, string, Respond]>([
  ["is too slow", 20, "deadline", () => undefined],
  ["fails", 10_000, "failed", json(400, { error: { message: "no" } })],
  ["gives a text a vector of another length than the tools", 10_000, "failed", vectorsOf((n) => (n > 1 ? 3 : 2))],
  ["gives too few vectors", 10_000, "failed", json(200, { object: "list", data: [] })],
])("all tools go on where it %s", async (name, deadlineMs, reason, respond) => {
  embeddings.respond(respond);
  const found = await ask(name.replaceAll(" ", "-"), deadlineMs);
  expect(found).toEqual({ status: 200, told: `20;kept=20;reason=${reason}`, isWhole: true });
});
