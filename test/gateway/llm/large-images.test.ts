import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InboundDialectId } from "../../../src/routing/dialects/index.ts";
import type { LlmPairs } from "../../kit/llm-pairs.ts";
import { models, startLlmPairs } from "../../kit/llm-pairs.ts";
import { upstreams } from "../../kit/llm-replay.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

/** A picture of 7.5 MB, 10 MB in base64; it begins as a PNG does. */
const picture = Buffer.concat([
  Buffer.from("iVBORw0KGgo=", "base64"),
  Buffer.alloc(7_500_000 - 8, "gatehouse"),
]).toString("base64");
const url = `data:image/png;base64,${picture}`;
const text = "What is this?";

const asked = {
  "openai-chat": {
    path: "chat/completions",
    body: {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text },
            { type: "image_url", image_url: { url } },
          ],
        },
      ],
    },
  },
  "openai-responses": {
    path: "responses",
    body: {
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text },
            { type: "input_image", image_url: url, detail: "auto" },
          ],
        },
      ],
    },
  },
  "anthropic-messages": {
    path: "messages",
    body: {
      max_tokens: 64,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text },
            { type: "image", source: { type: "base64", media_type: "image/png", data: picture } },
          ],
        },
      ],
    },
  },
} as const;
const table = (Object.keys(asked) as readonly InboundDialectId[]) // of the object above
  .flatMap((inbound) => upstreams.map((upstream) => ({ inbound, upstream })));

describe.each(table)("$inbound at $upstream", ({ inbound, upstream }) => {
  test("a picture of ten megabytes arrives whole", async () => {
    const { url: base, key } = pairs.apis[upstream];
    const answer = await rawHttp(`${base}/${asked[inbound].path}`, {
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: models[upstream], ...asked[inbound].body }),
    });
    expect([answer.status, answer.status === 200 ? "" : answer.text]).toEqual([200, ""]);
    const sent = pairs.replay.upstream.seen.at(-1)?.body ?? Buffer.alloc(0);
    pairs.replay.upstream.forget();
    expect(sent.includes(picture)).toBe(true);
  });
});
