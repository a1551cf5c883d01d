import { expect, test } from "vitest";
import { openaiModeration } from "../../src/guardrails/openai-moderation.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { compileRemote, loopbackFetch, serviceTools, userTexts } from "./remote/ask-service.ts";

interface Sent {
  readonly model: string;
  readonly input: readonly string[];
}

const sentTo = (server: MockUpstream): readonly Sent[] =>
  server.seen.map(({ body }) => JSON.parse(body.toString()) as Sent); // as it was sent

/** Flags knives. */
const openai: Respond = (request, response) => {
  const { input } = JSON.parse(request.body.toString()) as Sent; // as it was sent
  const results = input.map((text) => {
    const isBad = text.includes("knife");
    return {
      flagged: isBad,
      categories: { violence: isBad, harassment: false, illicit: null },
      category_scores: { violence: isBad ? 0.7 : 0.01, harassment: 0.3, illicit: null },
    };
  });
  response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ id: "modr-1", model: "m", results }));
};

test("asks OpenAI as it wants to be asked, all texts at once", async () => {
  await using server = await startMockUpstream(openai);
  expect(await judge(server, {}, "kind", "", "words")).toEqual({ type: "pass" });
  expect(server.seen[0]).toMatchObject({ method: "POST", url: "/v1/moderations" });
  expect(server.seen[0]?.headers.authorization).toBe("Bearer key-of-the-service");
  expect(sentTo(server)).toEqual([{ model: "omni-moderation-latest", input: ["kind", "words"] }]);
});

test("what is flagged is refused, by the categories' names", async () => {
  await using server = await startMockUpstream(openai);
  expect(await judge(server, {}, "kind", "a knife")).toEqual({
    type: "deny",
    reason: "The request is not permitted by the content policy.",
    detail: "violence",
    assessment: { categories: ["violence"], scores: { violence: 0.7, harassment: 0.3, illicit: 0 } },
  });
});

test("thresholds of one's own take the place of flags", async () => {
  await using server = await startMockUpstream(openai);
  expect((await judge(server, { thresholds: { violence: 0.8 } }, "a knife")).type).toBe("pass");
  expect((await judge(server, { thresholds: { violence: 0.7 } }, "a knife")).type).toBe("deny");
  expect((await judge(server, { thresholds: { harassment: 0.2 } }, "kind")).type).toBe("deny");
});

test("long texts go in pieces, many in several calls", async () => {
  await using server = await startMockUpstream(openai);
  const texts = [`${"long ".repeat(6_000)}knife`, ...Array.from({ length: 40 }, () => "kind")];
  expect((await judge(server, {}, ...texts)).type).toBe("deny");
  const sizes = sentTo(server).map(({ input }) => input.length);
  expect(sizes.toSorted((left, right) => right - left)).toEqual([32, 10]);
});

test("an answer with too few results is a failure", async () => {
  await using server = await startMockUpstream((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end('{"results":[]}');
  });
  await expect(judge(server, {}, "a")).rejects.toMatchObject({
    code: "upstream.invalid",
    detail: "0 results for 1 texts",
  });
});

async function judge(server: MockUpstream, config: object, ...texts: readonly string[]) {
  await using fetch = loopbackFetch();
  const all = { baseUrl: `${server.url}/v1`, apiKey: "${secret:service-key}", ...config };
  const guardrail = compileRemote(openaiModeration, all, serviceTools(fetch));
  return await guardrail.inspect(userTexts(...texts), "request", guardedCall());
}
