import { describe, expect, test } from "vitest";
import { azureContentSafety } from "../../../src/guardrails/azure-content-safety.ts";
import { bedrockGuardrail } from "../../../src/guardrails/bedrock-guardrail.ts";
import { guardrails } from "../../../src/guardrails/index.ts";
import { openaiModeration } from "../../../src/guardrails/openai-moderation.ts";
import { webhookGuardrail } from "../../../src/guardrails/webhook-guardrail.ts";
import type { GuardrailPlugin } from "../../../src/pipeline/define-guardrail.ts";
import { guardedCall } from "../../kit/guarded-call.ts";
import type { Respond } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { compileRemote, loopbackFetch, serviceTools, userTexts } from "./ask-service.ts";

const key = "${secret:service-key}";
const aws = { region: "eu-central-1", guardrailId: "abc", guardrailVersion: "1", accessKeyId: "AKIAIOSFODNN7EXAMPLE" };
const services: readonly { plugin: GuardrailPlugin; configOf: (url: string) => object }[] = [
  { plugin: azureContentSafety, configOf: (url) => ({ endpoint: url, apiKey: key, hate: 2 }) },
  { plugin: bedrockGuardrail, configOf: (url) => ({ ...aws, endpoint: url, secretAccessKey: key }) },
  { plugin: openaiModeration, configOf: (url) => ({ baseUrl: url, apiKey: key }) },
  { plugin: webhookGuardrail, configOf: (url) => ({ url, secret: key }) },
];

test("all guardrails that ask somebody else are told what happens when they fail", () => {
  const asking = guardrails.filter(({ asksOnError }) => asksOnError === true).map(({ id }) => id);
  for (const { plugin } of services) expect(asking).toContain(plugin.id);
});

const failures: readonly { name: string; respond: Respond; code: string }[] = [
  { name: "is asked too often", respond: answer(429, "{}", { "retry-after": "7" }), code: "upstream.unavailable" },
  { name: "fails", respond: answer(500, "{}"), code: "upstream.unavailable" },
  { name: "does not know the key", respond: answer(401, "{}"), code: "upstream.credentials" },
  { name: "refuses the texts", respond: answer(400, "{}"), code: "upstream.invalid" },
  { name: "redirects", respond: answer(302, "", { location: "/elsewhere" }), code: "upstream.invalid" },
  {
    name: "answers with a page",
    respond: answer(200, "<html>", { "content-type": "text/html" }),
    code: "upstream.invalid",
  },
  { name: "answers with other JSON", respond: answer(200, '{"ok":true}'), code: "upstream.invalid" },
  { name: "answers with no object", respond: answer(200, "null"), code: "upstream.invalid" },
  { name: "answers with nothing", respond: answer(200, ""), code: "upstream.invalid" },
  { name: "answers without end", respond: answer(200, `{"a":"${"a".repeat(1_100_000)}"}`), code: "upstream.too_large" },
  { name: "breaks off", respond: (_, response) => void response.destroy(), code: "upstream.reset" },
  { name: "never answers", respond: () => {}, code: "upstream.timeout" },
];

describe.each(services)("$plugin.id fails, and says nothing of the texts, when its service", ({ plugin, configOf }) => {
  test.each(failures)("$name", async ({ respond, code }) => {
    await using server = await startMockUpstream(respond);
    await using fetch = loopbackFetch();
    const config = { ...configOf(server.url), timeoutMs: code === "upstream.timeout" ? 100 : 10_000 };
    const guardrail = compileRemote(plugin, config, serviceTools(fetch));
    const verdict = Promise.resolve(guardrail.inspect(userTexts("quite private"), "request", guardedCall()));
    const error: unknown = await verdict.catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/private|key-of-the-service/);
  });
});

describe.each(services)("$plugin.id", ({ plugin, configOf }) => {
  test("leaves a service alone for a while that has failed five times in a row", async () => {
    await using server = await startMockUpstream(answer(500, "{}"));
    await using fetch = loopbackFetch();
    const tools = serviceTools(fetch);
    const guardrail = compileRemote(plugin, configOf(server.url), tools);
    const ask = async () => await guardrail.inspect(userTexts("a"), "request", guardedCall());
    for (let times = 0; times < 7; times += 1)
      await expect(ask()).rejects.toMatchObject({ code: "upstream.unavailable" });
    expect(server.seen).toHaveLength(5);
    tools.clock.advance(10_000);
    await expect(ask()).rejects.toMatchObject({ code: "upstream.unavailable" });
    expect(server.seen).toHaveLength(6);
  });

  test("ends its call with the exchange", async () => {
    const abort = new AbortController();
    await using server = await startMockUpstream(() => abort.abort());
    await using fetch = loopbackFetch();
    const guardrail = compileRemote(plugin, configOf(server.url), serviceTools(fetch));
    const call = guardedCall({ signal: abort.signal });
    await expect(guardrail.inspect(userTexts("a"), "request", call)).rejects.toMatchObject({ code: "client.closed" });
    await server.seen[0]?.aborted;
  });

  test("sends nothing of what says nothing, and nothing of what is too long", async () => {
    await using server = await startMockUpstream();
    await using fetch = loopbackFetch();
    const guardrail = compileRemote(plugin, { ...configOf(server.url), maxCharacters: 10 }, serviceTools(fetch));
    expect(await guardrail.inspect(userTexts("", " \n"), "request", guardedCall())).toEqual({ type: "pass" });
    expect(await guardrail.inspect(userTexts("a".repeat(6), "b".repeat(6)), "request", guardedCall())).toMatchObject({
      type: "deny",
      reason: "The request is too long.",
    });
    expect(server.seen).toEqual([]);
  });

  test("holds back a window of a stream, and takes no key but a reference", () => {
    const config = configOf("https://service.example.com");
    expect(plugin.config.safeParse({ ...config, window: { size: 100, overlap: 100 } }).success).toBe(false);
    const plain = JSON.parse(JSON.stringify(config).replace(key, "a-plain-key")) as object; // as it was made
    expect(plugin.config.safeParse(plain).success).toBe(false);
  });
});

function answer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Respond {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  };
}
