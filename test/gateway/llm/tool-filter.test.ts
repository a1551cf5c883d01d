import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import { manyTools } from "../../kit/many-tools.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const apis = new Map<string, TestApi>();

const attached = {
  rank: { with: { limit: 5, alwaysKeep: ["list_pl*"] } },
  threshold: { with: { selection: "threshold", threshold: 0.99, minKeep: 0 } },
  drop: { with: { limit: 1, withoutText: "drop", query: { jsonPath: "$.metadata.task" } } },
  monitor: { with: { limit: 5 }, mode: "monitor" },
  tags: { with: { limit: 1, format: { query: "tags", tools: "tags" } } },
  down: {
    with: {
      limit: 5,
      embedder: { use: "openai", with: { apiKey: "${secret:embedding}", baseUrl: "http://127.0.0.1:9/v1" } },
    },
  },
  closed: {
    with: {
      limit: 5,
      embedder: { use: "openai", with: { apiKey: "${secret:embedding}", baseUrl: "http://127.0.0.1:9/v1" } },
    },
    onError: "deny",
  },
} as const;

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("hello"));
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "embedding", value: "none" });
  for (const [name, attachment] of Object.entries(attached)) {
    const policies = [{ use: "semantic-tool-filter", ...attachment }];
    apis.set(name, await gatehouse.llm(name, `${upstream.url}/v1`, { policies }));
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const tools = manyTools(200);
const chatTools = tools.map((tool) => ({ type: "function", function: tool }));
const messages = [{ role: "user", content: "Please cancel my flight to Rome." }];

async function ask(name: keyof typeof attached, body: object, path = "chat/completions") {
  const api = apis.get(name);
  const text = JSON.stringify({ model: "m", ...(path !== "responses" && { max_tokens: 9 }), ...body });
  const headers = { "content-type": "application/json", authorization: `Bearer ${api?.key}` };
  const answer = await rawHttp(`${api?.url}/${path}`, { headers, body: text });
  const sent = upstream.seen.at(-1)?.body.toString() ?? "";
  return { answer, text, sent, header: answer.headers["x-gatehouse-tools"] };
}

function namesIn(sent: string): readonly string[] {
  const { tools: left = [] } = JSON.parse(sent) as { tools?: { name?: string; function?: { name: string } }[] }; // as it was sent
  return left.map(({ name, function: nested }) => name ?? nested?.name ?? "");
}

async function rowOf(id: string | string[] | undefined) {
  return (await gatehouse.events()).find((event) => event.type === "exchange" && event.exchange_id === id);
}

describe("of 200 tools", () => {
  test("those that fit go on, in their order, with what is always kept; and the caller hears how many", async () => {
    const { answer, sent, header } = await ask("rank", { messages, tools: chatTools });
    expect(answer.status).toBe(200);
    const names = namesIn(sent);
    expect(names).toContain("cancel_flight");
    expect(names).toContain("list_playlist");
    expect(names).toHaveLength(6);
    expect(names).toEqual(tools.map(({ name }) => name).filter((name) => names.includes(name)));
    expect(header).toBe("200;kept=6");
  });

  test("the tokens saved agree with a count of the bodies, and the row tells them with the scores", async () => {
    const { answer, text, sent } = await ask("rank", { messages, tools: chatTools });
    const row = await rowOf(answer.headers["x-request-id"]);
    const fields = row?.type === "exchange" ? row.fields : {};
    const { list_tokens_before: before, list_tokens_after: after } = fields;
    expect(Math.abs(Number(before) - Number(after) - (text.length - sent.length) / 4)).toBeLessThanOrEqual(1);
    expect(fields).toMatchObject({
      tools_total: 200,
      tools_after_filter: 6,
      filter_mode: "rank",
      filter_reason: "filtered",
    });
    expect(fields["filter_top_score"]).toBeGreaterThan(0.3);
    expect(fields["filter_candidates"]).toHaveLength(20);
    expect(row).toMatchObject({
      decisions: [{ policy: "semantic-tool-filter", action: "rewrite", detail: "kept 6 of 200 tools" }],
    });
  });

  test.each([
    {
      name: "Messages",
      path: "messages",
      body: { messages, tools: tools.map(({ parameters, ...rest }) => ({ ...rest, input_schema: parameters })) },
    },
    {
      name: "Responses",
      path: "responses",
      body: { input: messages, tools: tools.map((tool) => ({ type: "function", ...tool })) },
    },
  ])("as many stay of $name", async ({ path, body }) => {
    const { sent, header } = await ask("rank", body, path);
    expect(header).toBe("200;kept=6");
    expect(namesIn(sent)).toContain("cancel_flight");
  });

  test("the one that is forced stays, and those that were called", async () => {
    const called = {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "function", function: { name: "list_recipe", arguments: "{}" } }],
    };
    const { sent } = await ask("rank", {
      messages: [...messages, called, { role: "tool", tool_call_id: "c", content: "none" }],
      tool_choice: { type: "function", function: { name: "translate_shipment" } },
      tools: chatTools,
    });
    expect(namesIn(sent)).toEqual(expect.arrayContaining(["list_recipe", "translate_shipment", "cancel_flight"]));
  });

  test("none may stay; then the request has no list of tools, and nothing that asks for one", async () => {
    const { answer, sent, header } = await ask("threshold", {
      messages,
      tools: chatTools,
      tool_choice: "auto",
      parallel_tool_calls: true,
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse(sent)).toEqual({ model: "m", max_tokens: 9, messages });
    expect(header).toBe("200;kept=0");
  });

  test("one stays where the model has to call one", async () => {
    const { sent } = await ask("threshold", { messages, tools: chatTools, tool_choice: "required" });
    expect(namesIn(sent)).toEqual(["cancel_flight"]);
  });

  test("all go on in monitor mode, byte for byte; it is told how many would", async () => {
    const { text, sent, header } = await ask("monitor", { messages, tools: chatTools });
    expect(sent).toBe(text);
    expect(header).toBe("200;kept=5;mode=monitor");
  });
});

describe("where the embedder is away", () => {
  test("all tools go on", async () => {
    const { answer, text, sent, header } = await ask("down", { messages, tools: chatTools });
    expect(answer.status).toBe(200);
    expect(sent).toBe(text);
    expect(header).toMatch(/^200;kept=200;reason=(?:failed|deadline)$/);
    expect(await rowOf(answer.headers["x-request-id"])).toMatchObject({ decisions: [{ action: "error" }] });
  });

  test("nothing goes on where it says so", async () => {
    const before = upstream.seen.length;
    expect((await ask("closed", { messages, tools: chatTools })).answer.status).toBe(500);
    expect(upstream.seen).toHaveLength(before);
  });
});

describe("what is odd", () => {
  test("tools without text are dropped where it says so, and counted", async () => {
    const odd = [{ type: "web_search" }, 7, null, "x", {}, ...chatTools.slice(0, 3)];
    const { answer, sent } = await ask("drop", { messages, metadata: { task: "create an invoice" }, tools: odd });
    expect(namesIn(sent)).toEqual(["create_invoice"]);
    expect(await rowOf(answer.headers["x-request-id"])).toMatchObject({ fields: { tools_without_text: 5 } });
  });

  test.each([
    { name: "no text to choose by", body: { tools: chatTools, messages: [] } },
    { name: "few tools", body: { tools: chatTools.slice(0, 5), messages } },
    { name: "no tools", body: { tools: [], messages } },
    { name: "tools that are no list", body: { tools: { a: 1 }, messages } },
  ])("a request with $name goes on as it is", async ({ body }) => {
    const { text, sent } = await ask("rank", body);
    expect(sent).toBe(text);
  });

  test("tools of one name stay together", async () => {
    const twice = [...chatTools, ...chatTools.filter((tool) => tool.function.name === "cancel_flight")];
    expect(
      namesIn((await ask("rank", { messages, tools: twice })).sent).filter((name) => name === "cancel_flight"),
    ).toHaveLength(2);
  });

  test("texts in other scripts are found by their words", async () => {
    const others = [
      ...chatTools,
      { type: "function", function: { name: "wetter", description: "Погода в городе на завтра" } },
    ];
    const { sent } = await ask("rank", { messages: [{ role: "user", content: "какая погода завтра" }], tools: others });
    expect(namesIn(sent)).toContain("wetter");
  });

  test.each([
    { choice: 7 },
    { choice: "cancel" },
    { choice: { type: 7 } },
    { choice: { function: null } },
    { choice: [] },
  ])("a choice of $choice is the provider's to judge", async ({ choice }) => {
    const { answer, sent } = await ask("rank", { messages, tools: chatTools, tool_choice: choice });
    expect(answer.status).toBe(200);
    expect(namesIn(sent)).toContain("cancel_flight");
  });

  test("10,000 tools are ranked, at the latest when they come again; more go on as they are", async () => {
    const many = manyTools(10_000).map((tool) => ({ type: "function", function: tool }));
    const first = await ask("rank", { messages, tools: many });
    expect(first.answer.status).toBe(200);
    await expect
      .poll(async () => (await ask("rank", { messages, tools: many })).header, { timeout: 30_000 })
      .toMatch(/^10000;kept=\d{1,3}$/);
    const { header, answer } = await ask("rank", { messages, tools: [...many, chatTools[0]] });
    expect([answer.status, header]).toEqual([200, "10001;kept=10001;reason=failed"]);
  }, 60_000);
});

test("tools that stand in a text are chosen there, and the tags go", async () => {
  const listed = tools
    .slice(0, 40)
    .map(({ name, description }) => `<toolname>${name}</toolname><tooldescription>${description}</tooldescription>`);
  const content = `Tools:\n${listed.join("\n")}\nThe user says: <userq>cancel the flight</userq>`;
  const { sent, header } = await ask("tags", { messages: [{ role: "user", content }] });
  expect(header).toBe("40;kept=1");
  const told = JSON.parse(sent) as { messages: { content: string }[] };
  expect(told.messages[0]?.content).toMatch(/^Tools:\ncancel_flight: [^\n<]+\nThe user says: cancel the flight$/);
});

test("an embedder that is not there is refused when the API is published", async () => {
  const policies = [{ use: "semantic-tool-filter", with: { embedder: { use: "none" } } }];
  await expect(gatehouse.llm("refused", `${upstream.url}/v1`, { policies })).rejects.toThrow(
    /there is no embedder "none"/,
  );
});
