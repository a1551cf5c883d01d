import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LlmPairs } from "../kit/llm-pairs.ts";
import { models, startLlmPairs } from "../kit/llm-pairs.ts";
import type { UpstreamId } from "../kit/llm-replay.ts";
import { upstreams } from "../kit/llm-replay.ts";
import type { AnthropicClient } from "./anthropic-client.ts";
import { anthropicClient } from "./anthropic-client.ts";
import { clientsAreInstalled } from "./install-clients.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

const text = "Grüße aus Wien 🎡: 18 °C.";
const content = "Hi";
const schema = { type: "object", properties: { city: { type: "string" } } };
const names = ["get_weather", "get_time"];
const isOwnTime = /^\{\s*("zone":\s*"Europe\/Vienna")?\}$/; // Claude's fixture calls without arguments

const openAi = (upstream: UpstreamId): OpenAI => {
  const { url, key } = pairs.apis[upstream];
  return new OpenAI({ apiKey: key, baseURL: url, maxRetries: 0 });
};

describe.each(upstreams.map((upstream) => ({ upstream })))("the openai SDK at $upstream", ({ upstream }) => {
  const model = models[upstream];
  const messages = [{ role: "user" as const, content }];

  test("chats, whole and streamed, with its usage", async () => {
    pairs.replay.answer("text");
    const client = openAi(upstream);
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: text } });
    const stream = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
    expect(await stream.finalContent()).toBe(text);
    expect(await stream.totalUsage()).toMatchObject({ prompt_tokens: 19, completion_tokens: 9 });
  });

  test("gets parallel calls piece by piece", async () => {
    pairs.replay.answer("tools");
    const tools = names.map((name) => ({ type: "function" as const, function: { name, parameters: schema } }));
    const calls: { name: string; given: string }[] = [];
    let finish: string | null = null;
    // Not by the SDK's own collector: Mistral leaves out the calls' `type`, and what Mistral says is passed as it is.
    for await (const { choices } of await openAi(upstream).chat.completions.create({
      model,
      messages,
      tools,
      stream: true,
    })) {
      for (const { index, function: about } of choices[0]?.delta.tool_calls ?? []) {
        const call = (calls[index] ??= { name: "", given: "" });
        call.name += about?.name ?? "";
        call.given += about?.arguments ?? "";
      }
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect([finish, calls.map(({ name }) => name)]).toEqual(["tool_calls", names]);
    const [weather = "", time = ""] = calls.map(({ given }) => given);
    expect(JSON.parse(weather)).toEqual({ city: "Wien", unit: "°C" });
    expect(time).toMatch(isOwnTime);
  });

  test("goes through Responses, whole and streamed, with calls", async () => {
    pairs.replay.answer("text");
    const client = openAi(upstream);
    expect((await client.responses.create({ model, input: content })).output_text).toBe(text);
    const stream = client.responses.stream({ model, input: content });
    expect((await stream.finalResponse()).output_text).toBe(text);
    pairs.replay.answer("tools");
    const tools = names.map((name) => ({ type: "function" as const, name, parameters: schema, strict: false }));
    const called = await client.responses.stream({ model, input: content, tools }).finalResponse();
    expect(called.output.flatMap((item) => (item.type === "function_call" ? [item.name] : []))).toEqual(names);
  });

  test("throws its own errors", async () => {
    pairs.replay.answer("error-429", 429);
    await expect(openAi(upstream).chat.completions.create({ model, messages })).rejects.toBeInstanceOf(
      OpenAI.RateLimitError,
    );
    pairs.replay.answer("error-400", 400);
    await expect(openAi(upstream).responses.create({ model, input: content })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
  });
});

describe.skipIf(!clientsAreInstalled()).each(upstreams.map((upstream) => ({ upstream })))(
  "Anthropic's SDK at $upstream",
  ({ upstream }) => {
    const model = models[upstream];
    const body = { model, max_tokens: 4_096, messages: [{ role: "user", content }] };
    const client = (): Promise<AnthropicClient> => {
      const { url, key } = pairs.apis[upstream];
      return anthropicClient(url, key);
    };

    test("gets messages, whole and streamed, with their usage", async () => {
      pairs.replay.answer("text");
      const { messages } = await client();
      const expected = { content: [{ type: "text", text }], stop_reason: "end_turn" };
      expect(await messages.create(body)).toMatchObject({ ...expected, usage: { input_tokens: 19, output_tokens: 9 } });
      const streamed = await messages.stream(body).finalMessage();
      expect(streamed).toMatchObject({ ...expected, usage: { output_tokens: 9 } });
    });

    test("gets parallel calls piece by piece", async () => {
      pairs.replay.answer("tools");
      const tools = names.map((name) => ({ name, input_schema: schema }));
      const message = await (await client()).messages.stream({ ...body, tools }).finalMessage();
      const calls = message.content.filter(({ type }) => type === "tool_use");
      expect(message.stop_reason).toBe("tool_use");
      expect(calls.map(({ name }) => name)).toEqual(names);
      expect(calls[0]?.["input"]).toEqual({ city: "Wien", unit: "°C" });
    });

    test("replays what it was told of thoughts, word for word", async () => {
      pairs.replay.answer("reasoning");
      const { messages } = await client();
      const thinking = { type: "enabled", budget_tokens: 2_048 };
      const first = await messages.stream({ ...body, thinking }).finalMessage();
      const turns = [
        ...body.messages,
        { role: "assistant", content: first.content },
        { role: "user", content: "And?" },
      ];
      await messages.create({ ...body, thinking, messages: turns });
      const proof = proofs[upstream];
      if (proof !== undefined) expect(pairs.replay.upstream.seen.at(-1)?.body.toString("utf8")).toContain(proof);
    });

    test("throws its own errors", async () => {
      pairs.replay.answer("error-429", 429);
      await expect((await client()).messages.create(body)).rejects.toMatchObject({ status: 429 });
      pairs.replay.answer("error-400", 400);
      await expect((await client()).messages.stream(body).finalMessage()).rejects.toMatchObject({ status: 400 });
    });
  },
);

/** What providers have signed of the thoughts in their fixtures. */
const proofs: Partial<Record<UpstreamId, string>> = {
  anthropic: "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk=",
  "vertex-claude": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk=",
  bedrock: "EqQBCkYIBxgCKkBedrockProof=",
};
