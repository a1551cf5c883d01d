import { describe, expect, test } from "vitest";
import { signAwsRequest } from "../../../src/kernel/sign-aws-request.ts";
import type { ProviderCall, ProviderPlugin } from "../../../src/pipeline/define-provider.ts";
import { anthropic } from "../../../src/routing/providers/anthropic.ts";
import { azureOpenai } from "../../../src/routing/providers/azure-openai.ts";
import { bedrock } from "../../../src/routing/providers/bedrock.ts";
import { gemini } from "../../../src/routing/providers/gemini.ts";
import { buildTools } from "../../kit/exchange.ts";

const body = Buffer.from("{}");
const chat = { operation: "chat", dialect: "openai-chat", model: "m", stream: false, body } as const;

function request(plugin: ProviderPlugin, config: object, call: Partial<ProviderCall> = {}) {
  const tools = buildTools({ key: "sk-1\n" });
  const provider = plugin.compile(plugin.config.parse(config), tools);
  return provider.request({ ...chat, ...call });
}

const apiKey = "${secret:key}";

describe("Anthropic", () => {
  test.each([
    { operation: "chat", path: "/messages" },
    { operation: "count-tokens", path: "/messages/count_tokens" },
    { operation: "models", path: "/models?limit=1000" },
  ] as const)(
    "is asked for $operation at $path with its key, and a version for clients without",
    async ({ operation, path }) => {
      expect(await request(anthropic, { apiKey }, { operation })).toMatchObject({
        path,
        headers: { "x-api-key": "sk-1" },
        defaults: { "anthropic-version": "2023-06-01" },
      });
    },
  );
});

describe("Gemini", () => {
  test.each([
    { stream: false, path: "/models/gemini-2.5-flash:generateContent" },
    { stream: true, path: "/models/gemini-2.5-flash:streamGenerateContent?alt=sse" },
  ])("has the model in the path; streamed: $stream", async ({ stream, path }) => {
    const asked = await request(gemini, { apiKey }, { model: "models/gemini-2.5-flash", stream });
    expect(asked).toMatchObject({ method: "POST", path, headers: { "x-goog-api-key": "sk-1" } });
  });

  test("a model's name leads nowhere else", async () => {
    expect((await request(gemini, { apiKey }, { model: "../v1/x?y" })).path).toBe(
      "/models/..%2Fv1%2Fx%3Fy:generateContent",
    );
  });
});

describe("Azure OpenAI", () => {
  const endpoint = "https://example.openai.azure.com/";

  test.each([
    { name: "chats", call: {}, path: "/v1/chat/completions" },
    { name: "responses", call: { dialect: "openai-responses" }, path: "/v1/responses" },
    { name: "embeddings", call: { operation: "embeddings" }, path: "/v1/embeddings" },
    { name: "models", call: { operation: "models" }, path: "/v1/models" },
  ] as const)("takes $name at $path", async ({ call, path }) => {
    expect(await request(azureOpenai, { endpoint, apiKey }, call)).toMatchObject({
      path,
      headers: { "api-key": "sk-1" },
    });
  });

  test("has the deployment in the path under a dated version", async () => {
    const asked = await request(
      azureOpenai,
      { endpoint, apiKey, apiVersion: "2024-10-21" },
      { model: "my deployment" },
    );
    expect(asked.path).toBe("/deployments/my%20deployment/chat/completions?api-version=2024-10-21");
  });
});

describe("Bedrock", () => {
  const config = { region: "eu-central-1", accessKeyId: "AKIDEXAMPLE", secretAccessKey: apiKey };

  test.each([
    { stream: false, path: "/model/eu.anthropic.claude-sonnet-4-5%3A0/converse" },
    { stream: true, path: "/model/eu.anthropic.claude-sonnet-4-5%3A0/converse-stream" },
  ])("is asked at $path, signed for its region", async ({ stream, path }) => {
    const asked = await request(bedrock, config, { model: "eu.anthropic.claude-sonnet-4-5:0", stream });
    expect(asked).toMatchObject({ method: "POST", path });
    expect(asked.headers["authorization"]).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
  });

  test("shows the token of lent keys, and signs it", async () => {
    const asked = await request(bedrock, { ...config, sessionToken: apiKey });
    expect(asked.headers["x-amz-security-token"]).toBe("sk-1");
    expect(asked.headers["authorization"]).toContain("x-amz-date;x-amz-security-token");
  });

  // The vectors of AWS's own test suite of signature version 4.
  test.each([
    {
      name: "get-vanilla",
      method: "GET",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
      name: "post-vanilla",
      method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
  ])("signs as $name", ({ method, signature }) => {
    const signed = signAwsRequest(
      { method, host: "example.amazonaws.com", path: "/", headers: {}, body: new Uint8Array() },
      { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
      { region: "us-east-1", service: "service", nowMs: Date.UTC(2015, 7, 30, 12, 36) },
    );
    expect(signed["authorization"]).toContain(`Signature=${signature}`);
  });
});
