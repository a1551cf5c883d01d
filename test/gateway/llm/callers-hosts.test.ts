import { expect, test } from "vitest";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

test("no header, query or member of a caller's leads a request to another host, or the upstream's key there", async () => {
  await using upstream = await startMockUpstream(chatAnswer("Hello."));
  await using elsewhere = await startMockUpstream(chatAnswer("Caught."));
  await using gatehouse = await startTestGatehouse({ "network.allowCidrs": "127.0.0.0/8" });
  await gatehouse.put("LlmProvider", "vendor", {
    use: "openai-compatible",
    with: { baseUrl: `${upstream.url}/v1` },
  });
  await gatehouse.put("LlmApi", "steered", {
    context: "/steered",
    upstream: { production: { targets: [{ provider: "vendor" }] }, sandbox: { sameAs: "production" } },
  });
  const [url, host] = [`${elsewhere.url}/v1`, new URL(elsewhere.url).host];
  const names = [
    "x-portkey-custom-host",
    "x-base-url",
    "x-api-base",
    "x-forwarded-host",
    "x-original-url",
    "forwarded",
  ];
  const address = `${gatehouse.running.gatewayUrl}/steered/v1/chat/completions`;
  const answer = await rawHttp(`${address}?api_base=${encodeURIComponent(url)}&base_url=${encodeURIComponent(url)}`, {
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await gatehouse.key("steered")}`,
      ...Object.fromEntries(names.map((name) => [name, name === "forwarded" ? `host=${host}` : url])),
    },
    body: JSON.stringify({
      model: "m",
      messages: [{ role: "user", content: "Hello." }],
      api_base: url,
      base_url: url,
      user_config: { model_list: [{ litellm_params: { api_base: url } }] },
      metadata: { api_base: url },
    }),
  });
  expect(answer.status).toBe(200);
  expect([upstream.seen.length, elsewhere.seen.length]).toEqual([1, 0]);
  const [seen] = upstream.seen;
  expect(seen?.url).toBe("/v1/chat/completions");
  for (const name of ["x-forwarded-host", "forwarded"]) expect(seen?.headers[name]).toBeUndefined();
});
