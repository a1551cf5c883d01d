import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LlmRequest } from "../../../src/gateway/llm/llm-request.ts";
import { llmRequest, nothingSeen } from "../../../src/gateway/llm/llm-request.ts";
import { offeredTools } from "../../../src/gateway/llm/offered-tools.ts";
import { scanJson } from "../../../src/kernel/json-scan.ts";
import type { Operation } from "../../../src/pipeline/exchange.ts";

function operationOf(text: string, kind: LlmRequest["kind"] = "chat"): Operation {
  const body = Buffer.from(text);
  const json = JSON.parse(text) as LlmRequest["json"];
  const own: LlmRequest = {
    ...nothingSeen,
    kind,
    dialect: "openai-chat",
    json,
    scan: scanJson(body, { maxDepth: 99 }),
    wantsUsage: false,
  };
  return { id: "1", parentId: undefined, kind, name: "m", stream: false, body, message: own, usage: undefined };
}

function offerOf(request: object) {
  const operation = operationOf(JSON.stringify(request));
  const offered = offeredTools(operation);
  if (offered === undefined) throw new Error("no tools");
  return { operation, offered };
}

const schema = { type: "object", properties: { city: { type: "string" } } };

describe("the tools of a request", () => {
  test.each([
    {
      name: "OpenAI's chat",
      tools: [{ type: "function", function: { name: "weather", description: "Tells.", parameters: schema } }],
    },
    { name: "Responses", tools: [{ type: "function", name: "weather", description: "Tells.", parameters: schema }] },
    { name: "Anthropic", tools: [{ name: "weather", description: "Tells.", input_schema: schema }] },
    {
      name: "OpenAI's custom tools",
      tools: [{ type: "custom", custom: { name: "weather", description: "Tells.", parameters: schema } }],
    },
  ])("are read in the shape of $name", ({ tools }) => {
    const [read] = offerOf({ tools }).offered.read();
    expect(read).toMatchObject({
      name: "weather",
      facts: { name: "weather", description: "Tells.", parameters: schema },
    });
  });

  test("are the functions of an older request", () => {
    expect(offerOf({ functions: [{ name: "weather" }] }).offered.read()).toMatchObject([{ name: "weather" }]);
  });

  test.each([
    {
      name: "a provider's own tool",
      tool: { type: "web_search" },
      read: { name: undefined, type: "web_search", facts: undefined },
    },
    {
      name: "a provider's own tool with a name",
      tool: { type: "bash_20250124", name: "bash" },
      read: { name: "bash", facts: undefined },
    },
    { name: "a text", tool: "weather", read: { name: undefined, facts: undefined } },
    { name: "nothing", tool: null, read: { name: undefined, facts: undefined } },
    {
      name: "a tool without name and description",
      tool: { type: "function", function: { description: " " } },
      read: { facts: undefined },
    },
    {
      name: "a tool without description",
      tool: { name: "weather", description: "" },
      read: { facts: { name: "weather" } },
    },
  ])("may be $name", ({ tool, read }) => {
    expect(offerOf({ tools: [tool] }).offered.read()).toMatchObject([read]);
  });

  test.each([{}, { tools: [] }, { tools: "all" }, { tools: { name: "a" } }])("are none in %j", (request) => {
    expect(offeredTools(operationOf(JSON.stringify(request)))).toBeUndefined();
    expect(offeredTools(operationOf('{"tools":[{"name":"a"}]}', "embeddings"))).toBeUndefined();
  });
});

describe("what the user has said", () => {
  test.each([
    {
      name: "messages",
      request: {
        messages: [
          { role: "user", content: "one" },
          { role: "assistant", content: "no" },
          { role: "user", content: [{ type: "text", text: "two" }, { type: "image_url" }] },
        ],
      },
    },
    {
      name: "items",
      request: {
        input: [
          { role: "user", content: [{ type: "input_text", text: "one" }] },
          { type: "message", role: "user", content: "two" },
        ],
      },
    },
    {
      name: "messages with results",
      request: {
        messages: [
          { role: "user", content: "one" },
          { role: "user", content: "two" },
          { role: "user", content: [{ type: "tool_result", content: "no" }] },
        ],
      },
    },
  ])("is read from $name", ({ request }) => {
    expect(offerOf({ ...request, tools: [{}] }).offered.userTurns()).toEqual(["one", "two"]);
  });

  test("may be one text, or nothing that can be read", () => {
    expect(offerOf({ input: "one", tools: [{}] }).offered.userTurns()).toEqual(["one"]);
    for (const messages of [undefined, 7, [7, null, { role: "user" }, { role: "user", content: 7 }]]) {
      expect(offerOf({ messages, tools: [{}] }).offered.userTurns()).toEqual([]);
    }
  });
});

describe("tools that have to stay", () => {
  test.each([
    { tool_choice: { type: "function", function: { name: "a" } } },
    { tool_choice: { type: "function", name: "a" } },
    { tool_choice: { type: "tool", name: "a" } },
    {
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "a" } }] },
      },
    },
    { function_call: { name: "a" } },
  ])("are named by %j, and then one has to be called", (choice) => {
    const { offered } = offerOf({ ...choice, tools: [{}] });
    expect(offered.needed()).toContain("a");
    expect(offered.isOptional).toBe(false);
  });

  test.each(["required", "any", { type: "any" }, 7])("are some where the choice is %j", (choice) => {
    expect(offerOf({ tool_choice: choice, tools: [{}] }).offered.isOptional).toBe(false);
  });

  test.each([undefined, null, "auto", "none", { type: "auto", disable_parallel_tool_use: true }])(
    "are none where the choice is %j",
    (choice) => {
      expect(offerOf({ tool_choice: choice, tools: [{}] }).offered.isOptional).toBe(true);
    },
  );

  const called = [
    {
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "a" } }] },
        { role: "tool", tool_call_id: "1", content: "r" },
      ],
    },
    {
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "a" }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1" }] },
      ],
    },
    {
      input: [
        { role: "user", content: "x" },
        { type: "function_call", call_id: "1", name: "a" },
        { type: "function_call_output", call_id: "1", output: "r" },
      ],
    },
  ];

  test.each(called)("are those that the conversation has called: %j", (request) => {
    const { offered } = offerOf({ ...request, tools: [{}] });
    expect([...offered.needed()]).toEqual(["a"]);
    expect(offered.answeredCalls()).toEqual(["a"]);
  });

  test("a call that failed, that waits, or that was for an earlier turn is no success", () => {
    const [, anthropic] = called;
    const turns = anthropic?.messages ?? [];
    const failed = { role: "user", content: [{ type: "tool_result", tool_use_id: "1", is_error: true }] };
    for (const messages of [
      turns.slice(0, 2),
      [...turns.slice(0, 2), failed],
      [...turns, { role: "user", content: "thanks" }],
    ]) {
      expect(offerOf({ messages, tools: [{}] }).offered.answeredCalls()).toEqual([]);
    }
  });
});

describe("what is kept", () => {
  const text =
    '{ "n":1.0, "tools" : [ {"name":"a","x":1.50} , {"name":"b"},\n{"name":"\\u0063"} ] ,"tool_choice":"auto", "z":"\\u00e9" }';

  test("stands there byte for byte, in the list's order", () => {
    const operation = operationOf(text);
    const offered = offeredTools(operation);
    const read = offered?.read() ?? [];
    offered?.keep(read.filter((_, at) => at !== 1));
    expect(operation.body.toString()).toBe(
      '{ "n":1.0, "tools" : [{"name":"a","x":1.50},{"name":"\\u0063"}] ,"tool_choice":"auto", "z":"\\u00e9" }',
    );
    expect(llmRequest(operation).json).toEqual(JSON.parse(operation.body.toString()));
    expect(llmRequest(operation).scan).toEqual(scanJson(operation.body, { maxDepth: 99 }));
  });

  test("may be nothing: then what asks for tools goes too, wherever it stands", () => {
    const members = { first: 1, tools: [{ name: "a" }], tool_choice: "auto", parallel_tool_calls: true, last: "}" };
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.keys(members), { minLength: 1 }),
        fc.constantFrom("", " ", "\n\t"),
        (names, space) => {
          const pairs = [...new Set([...names, "tools"])].map(
            (name) => [name, members[name as keyof typeof members]] as const,
          );
          const inner = pairs.map(
            ([name, value]) => `${space}"${name}"${space}:${space}${JSON.stringify(value)}${space}`,
          );
          const operation = operationOf(`{${inner.join(",")}}`);
          offeredTools(operation)?.keep([]);
          const left = Object.fromEntries(pairs.filter(([name]) => name === "first" || name === "last"));
          expect(JSON.parse(operation.body.toString())).toEqual(left);
          expect(llmRequest(operation).json).toEqual(left);
        },
      ),
    );
  });

  test("a list whose name is written with escapes goes whole", () => {
    const operation = operationOf('{"a":"\\\\","\\u0074ools":[{"name":"a"}]}');
    offeredTools(operation)?.keep([]);
    expect(operation.body.toString()).toBe('{"a":"\\\\"}');
  });
});
