import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const body = '{"model":"m","messages":[]}';
const lineOf = (requestId: unknown) =>
  gatehouse.log.lines.find(({ fields }) => "requestId" in fields && fields.requestId === requestId);
const rowOf = async (requestId: unknown) =>
  (await gatehouse.events()).find(({ exchange_id }) => exchange_id === requestId);

function ask(url: string, headers: Record<string, string> = {}) {
  return rawHttp(url, {
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}`, ...headers },
    body,
  });
}

test.each([
  ["no API", () => `${gatehouse.running.gatewayUrl}/nowhere?secret=1`, 404, "route.not_found", "/nowhere"],
  ["no endpoint", () => `${api.url}/nothing?secret=1`, 404, "route.not_found", "/chat/…"],
  ["a wrong method", () => `${api.url}/models?secret=1`, 405, "route.method_not_allowed", "/chat/…"],
])("%s is a line in the log, without the query", async (_name, url, status, code, path) => {
  const answer = await ask(url());
  expect(answer.status).toBe(status);
  const line = lineOf(answer.headers["x-request-id"]);
  expect(line).toMatchObject({
    fields: { code, method: "POST", path, clientIp: "127.0.0.1" },
    message: "request refused",
  });
  expect(JSON.stringify(line)).not.toContain("secret");
});

test.each([
  ["host", { host: "evil.example" }, "evil.example: add it to allowedHosts if it is yours"],
  ["origin", { origin: "https://evil.example" }, "https://evil.example"],
])("a wrong %s at an API is a row that says what to do, and the caller is not told", async (_name, headers, detail) => {
  const answer = await ask(`${api.url}/chat/completions`, headers);
  expect([answer.status, answer.json()]).toMatchObject([403, { error: { code: "auth_forbidden_host" } }]);
  expect(answer.text).not.toContain("allowedHosts");
  const row = await rowOf(answer.headers["x-request-id"]);
  expect(row).toMatchObject({
    api_name: "chat",
    outcome: "denied",
    http_status: 403,
    denied_by: "accept",
    error_code: "auth.forbidden_host",
    key_id: null,
  });
  expect(row).toMatchObject({ error_detail: expect.stringContaining(detail.split(":")[0] ?? "") as string });
  const line = gatehouse.log.lines.find(({ fields }) => "exchange" in fields && fields.exchange === row?.exchange_id);
  expect(JSON.stringify(line)).toContain(detail);
});

test("an API's catch-all does not reach into the context of another API below it", async () => {
  const models = [{ name: "inner-model" }];
  const deep = await gatehouse.llm("deep", `${upstream.url}/v1`, { context: "/chat/models/x", models });
  const url = `${gatehouse.running.gatewayUrl}/chat/models/x/v1`;
  const get = (path: string) =>
    rawHttp(`${url}${path}`, { method: "GET", headers: { authorization: `Bearer ${deep.key}` } });
  expect((await get("/models")).json()).toMatchObject({ data: [{ id: "inner-model" }] });
  const none = await get("/other");
  expect([none.status, none.text]).toMatchObject([404, expect.stringContaining("/chat/models/x/v1/models")]);
});

test("probes are answered whatever the host is: a kubelet asks by the pod's address", async () => {
  for (const url of [gatehouse.running.gatewayUrl, gatehouse.running.controlUrl]) {
    for (const probe of ["/livez", "/readyz"]) {
      const answer = await rawHttp(url + probe, { method: "GET", headers: { host: "10.1.2.3:8080" } });
      expect([url, probe, answer.status]).toEqual([url, probe, 200]);
    }
  }
  const home = await rawHttp(`${gatehouse.running.controlUrl}/`, { method: "GET", headers: { host: "10.1.2.3:8080" } });
  expect(home.status).toBe(403);
});
