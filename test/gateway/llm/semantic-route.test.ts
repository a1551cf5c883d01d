import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let weather: MockUpstream;
let money: MockUpstream;
let api: { readonly url: string; readonly key: string };

beforeAll(async () => {
  [weather, money] = await Promise.all([startMockUpstream(chatAnswer("rain")), startMockUpstream(chatAnswer("coins"))]);
  gatehouse = await startTestGatehouse();
  for (const [name, { url }] of Object.entries({ weather, money })) {
    await gatehouse.put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl: `${url}/v1` } });
  }
  const strategy = {
    use: "semantic",
    with: {
      routes: [
        { name: "sky", utterances: ["will it rain tomorrow", "what is the weather like"], targets: ["weather"] },
        { name: "bank", utterances: ["transfer money to my savings account", "pay this bill"], targets: ["money"] },
      ],
      default: ["money"],
    },
  };
  const production = { targets: [{ provider: "weather" }, { provider: "money" }], strategy };
  await gatehouse.put("LlmApi", "routed", {
    context: "/routed",
    upstream: { production, sandbox: { sameAs: "production" } },
  });
  api = { url: `${gatehouse.running.gatewayUrl}/routed/v1`, key: await gatehouse.key("routed") };
  await eventually(
    "the routes are there",
    async () => !(await ask("hello there")).headers["x-gatehouse-route"]?.includes("not-ready"),
  );
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await Promise.all([weather[Symbol.asyncDispose](), money[Symbol.asyncDispose]()]);
});

async function ask(
  text: string,
  path = "chat/completions",
  headers: Record<string, string> = { "x-gatehouse-explain": "route" },
) {
  const all = { "content-type": "application/json", authorization: `Bearer ${api.key}`, ...headers };
  const messages = [
    { role: "user", content: "Thank you." },
    { role: "user", content: text },
  ];
  return rawHttp(`${api.url}/${path}`, {
    headers: all,
    body: JSON.stringify({ model: "auto", max_tokens: 9, messages }),
  });
}

test.each(["chat/completions", "messages"])(
  "a request to %s goes where its meaning leads, and the caller hears why",
  async (path) => {
    const rain = await ask("is it going to rain tomorrow", path);
    expect(rain.text).toContain("rain");
    expect(rain.headers["x-gatehouse-route"]).toMatch(/^strategy=semantic;route=sky;reason=matched;score=0\.\d+$/);
    expect((await ask("please pay this bill from my savings", path)).text).toContain("coins");
  },
);

test("what matches nothing goes to the default, and its row tells how near it was", async () => {
  const answer = await ask("the history of the trombone");
  expect(answer.headers["x-gatehouse-route"]).toContain("route=default;reason=below-threshold");
  const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
  expect(row).toMatchObject({ fields: { route_strategy: "semantic", route_reason: "below-threshold" } });
});

test("who does not ask hears nothing of it, and the upstream never does", async () => {
  const answer = await ask("is it going to rain tomorrow", "chat/completions", {});
  expect(answer.headers).not.toHaveProperty("x-gatehouse-route");
  expect(JSON.stringify([...weather.seen, ...money.seen].map(({ headers }) => headers))).not.toContain("x-gatehouse");
});
