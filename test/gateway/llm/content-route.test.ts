import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let key: string;

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("Hello."));
  gatehouse = await startTestGatehouse();
  await gatehouse.put("LlmProvider", "vendor", { use: "openai-compatible", with: { baseUrl: `${upstream.url}/v1` } });
  await gatehouse.put("LlmApi", "routed", {
    context: "/routed",
    upstream: {
      production: {
        targets: ["large", "small"].map((model) => ({ provider: "vendor", model })),
        strategy: {
          use: "content",
          with: {
            rules: [
              {
                name: "free",
                tests: [{ in: "body", name: "$.metadata.tier", value: "free" }],
                targets: ["vendor/small"],
              },
              { name: "short", when: "body.max_tokens < 10", targets: ["vendor/small"] },
            ],
            default: ["vendor/large"],
          },
        },
      },
      sandbox: { sameAs: "production" },
    },
  });
  key = await gatehouse.key("routed");
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test.each([
  ["a member of the body", { metadata: { tier: "free" } }, "free"],
  ["an expression over the body", { max_tokens: 5 }, "short"],
  ["neither", { max_tokens: 50 }, "default"],
])("%s decides where a real request goes", async (_name, more, route) => {
  const answer = await rawHttp(`${gatehouse.running.gatewayUrl}/routed/v1/chat/completions`, {
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key}`,
      "x-gatehouse-explain": "route",
    },
    body: JSON.stringify({ model: "auto", messages: [{ role: "user", content: "Hello." }], ...more }),
  });
  expect(answer.headers["x-gatehouse-route"]).toContain(`route=${route};`);
  const sent = upstream.seen.at(-1)?.body.toString() ?? "";
  expect(sent).toContain(route === "default" ? '"large"' : '"small"');
});
