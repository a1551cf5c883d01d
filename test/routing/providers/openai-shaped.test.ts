import { describe, expect, test } from "vitest";
import { openaiShaped } from "../../../src/routing/providers/openai-shaped.ts";
import { buildTools } from "../../kit/exchange.ts";

describe.each(openaiShaped.map((provider) => ({ provider, id: provider.id })))("$id", ({ provider }) => {
  const compiled = () => provider.compile(provider.config.parse(provider.examples[0]), buildTools());

  test("has a base URL without a slash at its end, and encrypted unless it is this machine", () => {
    const url = new URL(compiled().baseUrl);
    expect(compiled().baseUrl).not.toMatch(/\/$/);
    expect(url.protocol).toBe(url.hostname === "127.0.0.1" ? "http:" : "https:");
  });

  test("goes where the operator says instead", () => {
    const config = provider.config.parse({ baseUrl: "https://proxy.example/v1" });
    expect(provider.compile(config, buildTools()).baseUrl).toBe("https://proxy.example/v1");
  });
});

test("Mistral is spared what it refuses, and the operator may say otherwise", async () => {
  const mistral = openaiShaped.find(({ id }) => id === "mistral");
  const body = Buffer.from('{"model":"m","stream":true,"stream_options":{"include_usage":true},"user":"u"}');
  const sent = async (config: object) => {
    const provider = mistral?.compile(mistral.config.parse(config), buildTools());
    const request = await provider?.request({
      operation: "chat",
      dialect: "openai-chat",
      model: "m",
      stream: true,
      body,
    });
    return { body: request?.body?.toString(), streamUsage: provider?.streamUsage };
  };
  expect(await sent({})).toEqual({ body: '{"model":"m","stream":true}', streamUsage: false });
  expect(await sent({ drop: [], streamUsage: true })).toEqual({ body: body.toString(), streamUsage: true });
});
