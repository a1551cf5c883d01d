import { describe, expect, test } from "vitest";
import { bodilessRequest } from "../../../src/gateway/llm/llm-request.ts";
import { llmTokenDemand } from "../../../src/gateway/llm/llm-token-demand.ts";
import { buildExchange, buildOperation } from "../../kit/exchange.ts";

const text = "x".repeat(1_000);

/** What a request of that body asks of a model, at an API that bounds nothing. */
function demandOf(json: Readonly<Record<string, unknown>>) {
  const built = buildExchange();
  const exchange = {
    ...built,
    api: { ...built.api, protocol: { ...built.api.protocol, own: { maxOutputTokens: undefined } } },
  };
  const body = Buffer.from(JSON.stringify(json));
  return llmTokenDemand(exchange, buildOperation({ body, message: { ...bodilessRequest("chat"), json } }));
}

const part = (content: object) => ({ messages: [{ role: "user", content: [{ type: "text", text }, content] }] });

describe("a prompt", () => {
  test.each([
    { name: "an answer before", json: { input: "go on", previous_response_id: "resp_1" } },
    { name: "a conversation", json: { input: "go on", conversation: { id: "conv_1" } } },
    { name: "a stored prompt", json: { prompt: { id: "pmpt_1" } } },
    { name: "a file by its id", json: part({ type: "file", file: { file_id: "file_1" } }) },
    {
      name: "a document by its address",
      json: part({ type: "document", source: { type: "url", url: "https://x.test/a.pdf" } }),
    },
    {
      name: "an input file by its address",
      json: { input: [{ content: [{ type: "input_file", file_url: "https://x.test/a" }] }] },
    },
  ])("that names $name is longer than it looks", ({ json }) => {
    expect(demandOf(json)).toMatchObject({ isPartlyKept: true });
  });

  test.each([
    { name: "null in the place of a reference", json: { input: "x", previous_response_id: null, conversation: null } },
    { name: "an empty one", json: { input: "x", previous_response_id: "" } },
    { name: "a picture by its address", json: part({ type: "image_url", image_url: { url: "https://x.test/a.png" } }) },
    { name: "a text that talks of file_id", json: { messages: [{ role: "user", content: "file_id: file_1" }] } },
  ])("with $name is what it looks like", ({ json }) => {
    expect(demandOf(json)).not.toHaveProperty("isPartlyKept");
  });

  test("with a document takes a token for 16 bytes of it, with a picture no more than a picture takes", () => {
    const data = `data:application/pdf;base64,${"A".repeat(1_600_000)}`;
    const document = demandOf(part({ type: "file", file: { file_data: data } }));
    expect(document?.mediaTokens).toBeGreaterThan(100_000);
    expect(document?.textBytes).toBeLessThan(1_300);
    expect(document).not.toHaveProperty("isPartlyKept");
    expect(demandOf(part({ type: "image_url", image_url: { url: data } }))?.mediaTokens).toBe(1_600);
  });
});
