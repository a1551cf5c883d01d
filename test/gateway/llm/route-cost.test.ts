import { expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

test("what a model took to choose the way is in the row, by itself and in the cost of the operation", async () => {
  const usage = { prompt_tokens: 1_000, completion_tokens: 100 };
  await using upstream = await startMockUpstream(json(200, { choices: [], usage }));
  const message = { role: "assistant", content: '{"rule":"code"}' };
  await using sorter = await startMockUpstream(
    json(200, { choices: [{ index: 0, message }], usage: { prompt_tokens: 200, completion_tokens: 10 } }),
  );
  await using gatehouse = await startTestGatehouse({ "network.allowCidrs": "127.0.0.0/8" });
  await gatehouse.put("LlmProvider", "vendor", {
    use: "openai-compatible",
    with: { baseUrl: `${upstream.url}/v1` },
    prices: { large: { input: "10.00", output: "50.00" } },
  });
  const classifier = {
    baseUrl: `${sorter.url}/v1`,
    model: "sorter",
    timeoutMs: 30_000,
    price: { input: "1.00", output: "5.00" },
  };
  const rules = [{ name: "code", context: "Code.", targets: ["vendor/large"] }];
  const strategy = { use: "intelligent", with: { classifier, rules, default: ["vendor/large"] } };
  await gatehouse.put("LlmApi", "sorted", {
    context: "/sorted",
    upstream: {
      production: { targets: ["large", "small"].map((model) => ({ provider: "vendor", model })), strategy },
      sandbox: { sameAs: "production" },
    },
  });
  const response = await rawHttp(`${gatehouse.running.gatewayUrl}/sorted/v1/chat/completions`, {
    headers: { "content-type": "application/json", authorization: `Bearer ${await gatehouse.key("sorted")}` },
    body: '{"model":"any","messages":[{"role":"user","content":"Why does it not compile?"}]}',
  });
  expect(response.status).toBe(200);
  const rowOf = async (kind: string) => (await gatehouse.events()).find(({ type }) => type === kind);
  await eventually("the row is there", async () => (await rowOf("exchange")) !== undefined, 10_000);
  // 1000 at 10 and 100 at 50 a million, then 200 at 1 and 10 at 5
  expect(await rowOf("exchange")).toMatchObject({
    input_tokens: 1_000,
    cost: "0.01525",
    cost_source: "actual",
    fields: {
      route_name: "code",
      route_input_tokens: 200,
      route_output_tokens: 10,
      route_usage_source: "actual",
      route_cost: "0.00025",
    },
  });
  expect(await rowOf("attempt")).toMatchObject({ cost: "0.015" });
});
