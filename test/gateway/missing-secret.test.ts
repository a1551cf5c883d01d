import { expect, test } from "vitest";
import { putSecret, readSecret } from "../../src/core/secrets.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { publishServer, rpcOf, toolCall } from "./mcp/published-server.ts";

// A 404 would tell an MCP client that its session has ended, and an SDK that there is no such model.
test("a secret that is gone is told as the gateway's trouble with the upstream, and the row names it", async () => {
  await using gatehouse = await startTestGatehouse();
  await using upstream = await startMockUpstream();
  const { context } = gatehouse.running;
  await putSecret(context, testActor, { name: "gone", value: "value" });
  const auth = { secret: "${secret:gone}" };
  const server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`, { upstream: { auth } });
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  const keyed = { use: "openai-compatible", with: { baseUrl: `${upstream.url}/v1`, apiKey: auth.secret } };
  await gatehouse.put("LlmProvider", "chat", keyed);
  await context.catalog.transaction((tx) => tx.secrets.delete("gone")); // as a restored backup may lack it
  context.publish({ type: "secret.changed", name: "gone" });
  await readSecret(context, "gone").catch(() => undefined); // by now the gateway has looked as well

  const called = await server.post(toolCall("legacy", 1, "echo"));
  expect([called.status, rpcOf(called).error?.data?.["code"]]).toEqual([502, "upstream.credentials"]);
  const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
  const asked = await rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m"}' });
  expect([asked.status, asked.json()]).toMatchObject([502, { error: { code: "upstream_credentials" } }]);
  expect(called.text + asked.text).not.toContain("gone");
  const rows = (await gatehouse.events()).filter((row) => row.type === "exchange");
  expect(rows.map(({ error_detail }) => error_detail)).toEqual(["the secret gone", "the secret gone"]);
});
