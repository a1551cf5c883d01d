import { expect, test } from "vitest";
import { azureContentSafety } from "../../src/guardrails/azure-content-safety.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { compileRemote, loopbackFetch, serviceTools, userTexts } from "./remote/ask-service.ts";

/** Finds as much violence as there are knives, and no hate. */
const azure: Respond = (request, response) => {
  const { text, blocklistNames = [] } = JSON.parse(request.body.toString()) as {
    text: string;
    blocklistNames?: string[];
  }; // as it was sent
  const categoriesAnalysis = [
    { category: "Hate", severity: 0 },
    { category: "Violence", severity: text.split("knife").length - 1 },
  ];
  const blocklistsMatch = blocklistNames
    .filter((name) => text.includes(name))
    .map((blocklistName) => ({ blocklistName }));
  response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ categoriesAnalysis, blocklistsMatch }));
};

test("asks Azure as it wants to be asked", async () => {
  await using server = await startMockUpstream(azure);
  await judge(server, { hate: 4, violence: 2 }, "a knife");
  const [seen] = server.seen;
  expect(seen?.url).toBe("/contentsafety/text:analyze?api-version=2024-09-01");
  expect(seen?.headers["ocp-apim-subscription-key"]).toBe("key-of-the-service");
  expect(JSON.parse(seen?.body.toString() ?? "")).toEqual({
    text: "a knife",
    categories: ["Hate", "Violence"],
    outputType: "EightSeverityLevels",
  });
});

test.each([
  { name: "a severity below the threshold", config: { violence: 3 }, text: "knife knife", passes: true },
  { name: "a severity at the threshold", config: { violence: 2 }, text: "knife knife", passes: false },
  { name: "a category that nobody asked for", config: { hate: 1 }, text: "knife knife", passes: true },
  { name: "a match of a blocklist", config: { blocklists: ["rivals"] }, text: "our rivals", passes: false },
  { name: "no match of a blocklist", config: { blocklists: ["rivals"] }, text: "our friends", passes: true },
])("judges $name", async ({ config, text, passes }) => {
  await using server = await startMockUpstream(azure);
  expect((await judge(server, config, text)).type).toBe(passes ? "pass" : "deny");
});

test("the refusal tells severities and thresholds, and nothing of the text", async () => {
  await using server = await startMockUpstream(azure);
  expect(await judge(server, { hate: 4, violence: 2 }, "fine", "knife knife knife")).toEqual({
    type: "deny",
    reason: "The request is not permitted by the content policy.",
    detail: "Violence",
    assessment: {
      blocklist: false,
      categories: [
        { category: "Hate", severity: 0, threshold: 4, result: "PASS" },
        { category: "Violence", severity: 3, threshold: 2, result: "FAIL" },
      ],
    },
  });
});

test("a text that is longer than Azure takes is judged in pieces, to its end", async () => {
  await using server = await startMockUpstream(azure);
  const text = `${"long ".repeat(5_000)}knife ${"long ".repeat(3_000)}`;
  expect((await judge(server, { violence: 1 }, text)).type).toBe("deny");
  const sent = server.seen.map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text); // as it was sent
  expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(10_000);
  expect(sent.length).toBe(5);
});

test.each([{}, { hate: 0 }, { hate: 8 }, { hate: 2.5 }])("the configuration %j is refused", (config) => {
  const more = { endpoint: "https://a.example", apiKey: "${secret:service-key}" };
  expect(azureContentSafety.config.safeParse({ ...more, ...config }).success).toBe(false);
});

async function judge(server: MockUpstream, config: object, ...texts: readonly string[]) {
  await using fetch = loopbackFetch();
  const all = { endpoint: `${server.url}/`, apiKey: "${secret:service-key}", ...config };
  const guardrail = compileRemote(azureContentSafety, all, serviceTools(fetch));
  return await guardrail.inspect(userTexts(...texts), "request", guardedCall());
}
