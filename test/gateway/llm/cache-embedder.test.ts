import { afterAll, beforeAll, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let embeddings: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  embeddings = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "embedding", value: "none" });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await embeddings[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** Asks an API of that name, whose cache uses the embedder: what its cache did with the question. */
async function setUp(name: string, deadlineMs: number): Promise<(content: string) => Promise<string | null>> {
  const embedder = { use: "openai", with: { apiKey: "${secret:embedding}", baseUrl: `${embeddings.url}/v1` } };
  const policies = [{ use: "semantic-cache", with: { deadlineMs, embedder, threshold: 0.9 } }];
  const api = await gatehouse.llm(name, `${upstream.url}/v1`, { policies });
  return async (content) => {
    const answer = await fetch(`${api.url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content }] }),
    });
    await answer.text();
    expect(answer.status).toBe(200);
    return answer.headers.get("x-gatehouse-cache");
  };
}

/** Vectors of so many numbers, which is asked anew with each call. */
function vectorsOf(dimensions: () => number): Respond {
  return (request, response) => {
    const { input } = JSON.parse(request.body.toString()) as { input: readonly string[] }; // as embedders ask
    const numbers = Array.from({ length: dimensions() }, () => 1);
    const data = input.map((_, index) => ({ object: "embedding", index, embedding: numbers }));
    return json(200, { object: "list", data })(request, response);
  };
}

async function lastReason(): Promise<unknown> {
  const rows = (await gatehouse.events()).filter((event) => event.type === "exchange");
  return rows.at(-1)?.fields["cache_reason"];
}

test("an embedder that is too slow is a miss, and what is equal is answered from before all the same", async () => {
  embeddings.respond(() => undefined); // never
  const ask = await setUp("slow", 20);
  expect(await ask("What is slow?")).toBe("miss");
  expect(await lastReason()).toBe("deadline");
  await eventually("the answer is kept without its meaning", async () => (await ask("What is slow?")) === "hit");
});

test("an embedder that fails is a miss, and what is equal is answered from before all the same", async () => {
  embeddings.respond(json(400, { error: { message: "no" } }));
  const ask = await setUp("down", 10_000);
  expect(await ask("What is down?")).toBe("miss");
  expect(await lastReason()).toBe("failed");
  await eventually("the answer is kept without its meaning", async () => (await ask("What is down?")) === "hit");
});

test("an embedder whose vectors change their length is a miss, and nothing is taken for alike", async () => {
  let length = 3;
  embeddings.respond(vectorsOf(() => length));
  const ask = await setUp("lengths", 10_000);
  expect(await ask("What is long?")).toBe("miss");
  await eventually("the answer is kept", async () => (await ask("What is long?")) === "hit");
  expect(await ask("What is quite long?")).toBe("hit"); // every text means the same to it
  length = 2;
  expect(await ask("What is short?")).toBe("miss");
  expect(await lastReason()).toBe("failed");
});
