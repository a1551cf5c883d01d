import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnalyticsEvent } from "../../../src/pipeline/event.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(
    json(200, { choices: [], usage: { prompt_tokens: 1_000, completion_tokens: 100 } }),
  );
  gatehouse = await startTestGatehouse({ "network.allowCidrs": "127.0.0.0/8" });
  await gatehouse.put("LlmProvider", "vendor", {
    use: "openai-compatible",
    with: { baseUrl: `${upstream.url}/v1` },
    prices: { large: { input: "10.00", output: "50.00" }, small: { input: "1.00", output: "2.00" } },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const byTier = {
  use: "content",
  with: {
    rules: [{ name: "free", tests: [{ in: "header", name: "x-tier", value: "free" }], targets: ["vendor/small"] }],
    default: ["vendor/large"],
  },
};

let count = 0;

/** An API with this shadow, and how to ask it; gives the row. */
async function served(
  shadow: object,
  policies: readonly object[] = [],
): Promise<(headers?: object) => Promise<AnalyticsEvent | undefined>> {
  count += 1;
  const name = `shadowed-${count}`;
  const targets = ["large", "small", "unpriced"].map((model) => ({ provider: "vendor", model }));
  await gatehouse.put("LlmApi", name, {
    context: `/${name}`,
    policies,
    upstream: {
      production: { targets, strategy: { use: "failover" }, shadow },
      sandbox: { sameAs: "production" },
    },
  });
  const key = await gatehouse.key(name);
  return async (headers = {}) => {
    const answer = await rawHttp(`${gatehouse.running.gatewayUrl}/${name}/v1/chat/completions`, {
      headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
      body: '{"model":"any","messages":[{"role":"user","content":"Hello."}]}',
    });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    const own = async () =>
      (await gatehouse.events()).find(({ exchange_id: id }) => id === answer.headers["x-request-id"]);
    await eventually("the row is written", async () => (await own()) !== undefined);
    return own();
  };
}

test("a row tells both choices, the shadow's reason, and what that would have cost", async () => {
  const ask = await served({ strategy: byTier });
  // 1,000 × 10 + 100 × 50 millionths there, 1,000 × 1 + 100 × 2 in the shadow
  expect(await ask({ "x-tier": "free" })).toMatchObject({
    cost: "0.015",
    config_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    fields: {
      route_target: "vendor/large",
      shadow_strategy: "content",
      shadow_target: "vendor/small",
      shadow_name: "free",
      shadow_reason: "matched",
      shadow_cost: "0.0012",
    },
  });
  expect(upstream.seen.at(-1)?.body.toString()).toContain('"large"');
  expect(await ask()).toMatchObject({ fields: { shadow_target: "vendor/large", shadow_cost: "0.015" } });
});

test("a target without a price would have cost nobody knows what", async () => {
  const ask = await served({ strategy: { use: "content", with: { ...byTier.with, default: ["vendor/unpriced"] } } });
  const row = await ask();
  expect(row).toMatchObject({ cost: "0.015", fields: { shadow_target: "vendor/unpriced" } });
  expect(row?.type === "exchange" && row.fields).not.toHaveProperty("shadow_cost");
});

test("with a sample of nought nothing is asked, and rows say nothing of it", async () => {
  const row = await (await served({ strategy: byTier, sample: 0 }))();
  expect(row?.type === "exchange" && row.fields).not.toHaveProperty("shadow_strategy");
});

test("a request does not wait for a shadow whose model does not answer, and its row says so", async () => {
  await using silent = await startMockUpstream(() => undefined);
  const ask = await served({
    strategy: {
      use: "intelligent",
      with: {
        classifier: { baseUrl: `${silent.url}/v1`, model: "c", timeoutMs: 30_000 },
        rules: [{ name: "code", context: "Code.", targets: ["vendor/small"] }],
        default: ["vendor/large"],
      },
    },
    timeoutMs: 200,
  });
  const row = await ask();
  expect(row).toMatchObject({ outcome: "ok", fields: { shadow_reason: "deadline", shadow_strategy: "intelligent" } });
  expect(row?.type === "exchange" && row.duration_ms).toBeLessThan(30_000);
  await eventually("the shadow's model is asked", () => silent.seen.length > 0);
});

test("what a shadow's own model took is told, is part of the bill, and is charged to budgets", async () => {
  const verdict = { choices: [{ message: { content: '{"rule":"code"}' } }] };
  const classifier = await startMockUpstream(
    json(200, { ...verdict, usage: { prompt_tokens: 200_000, completion_tokens: 10_000 } }),
  );
  await using _ends = classifier;
  const ask = await served(
    {
      strategy: {
        use: "intelligent",
        with: {
          classifier: { baseUrl: `${classifier.url}/v1`, model: "c", price: { input: "1.00", output: "2.00" } },
          rules: [{ name: "code", context: "Code.", targets: ["vendor/small"] }],
          default: ["vendor/large"],
        },
      },
      timeoutMs: 5_000,
    },
    [{ use: "cost-budget", with: { amount: "0.20", window: "month", reserveOutput: 10, unpriced: "free" } }],
  );
  // 200,000 × 1 + 10,000 × 2 millionths to decide, beside the 0.015 of the answer
  expect(await ask()).toMatchObject({
    cost: "0.235",
    cost_source: "actual",
    fields: {
      shadow_target: "vendor/small",
      shadow_cost: "0.0012",
      shadow_route_cost: "0.22",
      shadow_input_tokens: 200_000,
      shadow_output_tokens: 10_000,
    },
  });
  await expect(ask()).rejects.toThrow("429"); // 0.235 of 0.20
});

test("a shadow whose strategy is not known or leads nowhere is refused at publish, by its place", async () => {
  await expect(served({ strategy: { use: "magic" } })).rejects.toMatchObject({
    issues: [{ path: "spec.upstream.production.shadow.strategy.use" }],
  });
  const groups = [{ name: "lost", targets: ["nobody/*"] }];
  await expect(served({ strategy: { use: "weighted" }, groups })).rejects.toMatchObject({
    issues: [{ path: "spec.upstream.production.shadow.groups[0].targets" }],
  });
});
