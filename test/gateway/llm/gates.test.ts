import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let small: MockUpstream;
let large: MockUpstream;
let api: TestApi;

const strategy = { use: "failover" };
const sandbox = { sameAs: "production" as const };

beforeAll(async () => {
  small = await startMockUpstream(chatAnswer("small"));
  large = await startMockUpstream(chatAnswer("large"));
  gatehouse = await startTestGatehouse();
  await gatehouse.put("LlmProvider", "small", {
    use: "openai-compatible",
    with: { baseUrl: `${small.url}/v1` },
    facts: { "*": { context: 100, output: 50, input: [], tools: false } },
    region: "us",
  });
  await gatehouse.put("LlmProvider", "large", {
    use: "openai-compatible",
    with: { baseUrl: `${large.url}/v1` },
    region: "eu",
  });
  const targets = [{ provider: "small" }, { provider: "large" }];
  api = await gatehouse.llm("gated", `${large.url}/v1`, { upstream: { production: { targets, strategy }, sandbox } });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
  await large[Symbol.asyncDispose]();
});

beforeEach(() => {
  small.respond(chatAnswer("small"));
  large.respond(chatAnswer("large"));
});

async function ask(body: object, of = api, path = "chat/completions") {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${of.key}`,
    "x-gatehouse-explain": "route",
  };
  const answer = await rawHttp(`${of.url}/${path}`, { headers, body: JSON.stringify({ model: "m", ...body }) });
  const json = answer.json() as { choices?: [{ message: { content: string } }]; error?: Record<string, unknown> };
  return {
    status: answer.status,
    from: json.choices?.[0].message.content,
    error: json.error,
    why: answer.headers["x-gatehouse-route"],
    headers: answer.headers,
  };
}

const said = (content: unknown) => ({ messages: [{ role: "user", content }] });
const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };

describe("a target is left out", () => {
  const cases = [
    { gate: "tools", body: { ...said("hi"), tools: [{ type: "function", function: { name: "f" } }] } },
    { gate: "modality", body: said([{ type: "text", text: "what is this?" }, image]) },
    { gate: "context-window", body: said("word ".repeat(400)) },
    { gate: "output", body: { ...said("hi"), max_completion_tokens: 51 } },
  ];
  test.each(cases)("by its gate: $gate", async ({ gate, body }) => {
    const { from, why } = await ask(body);
    expect([from, why]).toEqual(["large", `strategy=failover;route=default;reason=gates;closed=${gate}`]);
  });

  test("of none where it can do what is asked, and nobody is told of gates", async () => {
    expect(await ask({ ...said("hi"), tools: [], max_tokens: 50 })).toMatchObject({ from: "small", why: undefined });
  });

  test("not for the bytes of a picture", async () => {
    const facts = { context: 100, input: ["image" as const] };
    const targets = [{ provider: "small", facts }, { provider: "large" }];
    const own = await gatehouse.llm("seeing", `${large.url}/v1`, {
      upstream: { production: { targets, strategy }, sandbox },
    });
    const url = `data:image/png;base64,${"A".repeat(100_000)}`;
    expect(await ask(said([{ type: "image_url", image_url: { url } }]), own)).toMatchObject({ from: "small" });
  });

  test("while too little of the caller's limit is left", async () => {
    const targets = [{ provider: "large", model: "dear", whileBudgetLeft: 0.5 }, { provider: "small" }];
    const own = await gatehouse.llm("frugal", `${large.url}/v1`, {
      upstream: { production: { targets, strategy }, sandbox },
      policies: [{ use: "quota", with: { windows: [{ requests: 4, window: "day" }] } }],
    });
    const asked = [await ask(said("1"), own), await ask(said("2"), own), await ask(said("3"), own)];
    expect(asked.map(({ from }) => from)).toEqual(["large", "large", "small"]);
    expect(asked[2]?.why).toContain("closed=budget");
  });

  test("outside the permitted regions, whatever fails inside", async () => {
    const targets = [{ provider: "small" }, { provider: "large" }];
    const production = { targets, strategy, regions: ["eu*"], maxAttempts: 5 };
    const own = await gatehouse.llm("european", `${large.url}/v1`, { upstream: { production, sandbox } });
    large.respond((_request, response) => void response.writeHead(500).end("{}"));
    const before = small.seen.length;
    expect(await ask(said("hi"), own)).toMatchObject({ status: 500, why: expect.stringContaining("closed=region") });
    expect(small.seen.length).toBe(before);
  });
});

describe("when no target is left", () => {
  let only: TestApi;

  beforeAll(async () => {
    const production = { targets: [{ provider: "small" }] };
    only = await gatehouse.llm("only-small", `${small.url}/v1`, { upstream: { production, sandbox } });
  });

  test("the error names why in the client's dialect, and no target", async () => {
    const { status, error } = await ask(said([image, { type: "text", text: "?" }]), only);
    expect([status, error]).toEqual([
      400,
      {
        message: "No target of `m` can serve this request: they do not take the kinds of content in it (modality).",
        type: "invalid_request_error",
        param: "model",
        code: "request_invalid",
      },
    ]);
    const anthropic = await ask({ ...said("word ".repeat(400)), max_tokens: 5 }, only, "messages");
    expect([anthropic.status, anthropic.error]).toMatchObject([400, { type: "invalid_request_error" }]);
    expect(JSON.stringify(anthropic.error)).not.toContain("small");
  });

  test("a prompt that is too long is known by OpenAI's code for it", async () => {
    expect((await ask(said("word ".repeat(400)), only)).error).toMatchObject({ code: "context_length_exceeded" });
  });

  test("the row tells each gate by its target", async () => {
    await ask({ ...said("hi"), max_tokens: 51 }, only);
    const rows = (await gatehouse.events()).filter((event) => event.type === "exchange");
    expect(rows.at(-1)?.fields).toMatchObject({ route_gates: ["small=output"], route_reason: "gates" });
  });

  test("an API that no region lets serve is refused when it is published", async () => {
    const production = { targets: [{ provider: "small" }], regions: ["eu"] };
    await expect(
      gatehouse.llm("nowhere", `${small.url}/v1`, { upstream: { production, sandbox } }),
    ).rejects.toMatchObject({ issues: [{ path: expect.stringContaining("spec.upstream.production.regions") }] });
  });
});

describe("a model that is not there", () => {
  let named: TestApi;

  beforeAll(async () => {
    const targets = [{ provider: "large", models: ["gpt-a", "gpt-b", "secret"] }];
    const models = [{ name: "gpt-a" }, { name: "gpt-b" }, { name: "secret" }, { name: "unserved" }];
    named = await gatehouse.llm("named", `${large.url}/v1`, { models, upstream: { production: { targets }, sandbox } });
  });

  test("is 404 with those that the caller may ask for", async () => {
    const { status, error } = await ask({ ...said("hi"), model: "gpt-z" }, named);
    expect([status, error]).toMatchObject([404, { code: "model_not_found", param: "model" }]);
    expect(error?.["message"]).toContain("You may ask for `gpt-a`, `gpt-b`, `secret`.");
  });

  test("looks like one that the key may not call, and neither tells what the key may not see", async () => {
    const own = { url: named.url, key: await gatehouse.key("named", { allow: ["gpt-*"] }) };
    const answers = [
      await ask({ ...said("hi"), model: "secret" }, own),
      await ask({ ...said("hi"), model: "no" }, own),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    const messages = answers.map(({ error }) => String(error?.["message"]).replace(/`(secret|no)` does/, "`it` does"));
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).not.toContain("secret");
  });
});

test("a picture of 10 MB goes through as it is, and 60 MB are refused before they are read", async () => {
  const picture = (bytes: number) =>
    said([{ type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(bytes)}` } }]);
  expect(await ask(picture(10_485_760))).toMatchObject({ status: 200, from: "large" });
  expect(large.seen.at(-1)?.body.length).toBeGreaterThan(10_485_760);
  const before = large.seen.length + small.seen.length;
  expect((await ask(picture(62_914_560))).status).toBe(413);
  expect(large.seen.length + small.seen.length).toBe(before);
});

describe("groups of targets", () => {
  const grouped = (groups: readonly object[]) => {
    const targets = [{ provider: "small", model: "m" }, { provider: "large", model: "m" }, { provider: "large" }];
    const production = { targets, groups, strategy: { use: "failover" } };
    return gatehouse.llm("grouped", `${large.url}/v1`, { upstream: { production, sandbox } as never }); // a test's own spec
  };

  test("are ordered as one, with a strategy of their own within", async () => {
    const own = await grouped([{ name: "first", targets: ["large*"], strategy: { use: "round-robin" } }]);
    expect(await ask(said("hi"), own)).toMatchObject({ from: "small" });
  });

  test.each([
    [
      "a target in two",
      [
        { name: "a", targets: ["*"] },
        { name: "b", targets: ["small/m"] },
      ],
      "groups[1].targets",
    ],
    ["a target's name", [{ name: "large", targets: ["*"] }], "groups[0].name"],
    ["no target", [{ name: "a", targets: ["nobody"] }], "groups[0].targets"],
    ["an unknown strategy", [{ name: "a", targets: ["*"], strategy: { use: "luck" } }], "groups[0].strategy.use"],
  ])("with %s are refused when they are published", async (_name, groups, path) => {
    await expect(grouped(groups)).rejects.toMatchObject({ issues: [{ path: expect.stringContaining(path) }] });
  });
});
