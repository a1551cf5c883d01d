import { describe, expect, test } from "vitest";
import { createUseShelf } from "../../../src/embedding/use-shelf.ts";
import type { LlmRequest } from "../../../src/gateway/llm/llm-request.ts";
import { nothingSeen } from "../../../src/gateway/llm/llm-request.ts";
import { offeredTools } from "../../../src/gateway/llm/offered-tools.ts";
import { scanJson } from "../../../src/kernel/json-scan.ts";
import type { Operation } from "../../../src/pipeline/exchange.ts";
import { filterConfig } from "../../../src/policies/semantic-tool-filter/filter-config.ts";
import { semanticToolFilter } from "../../../src/policies/semantic-tool-filter/semantic-tool-filter.ts";
import { builtIn } from "../../kit/built-in-embedder.ts";
import { applicationId, buildExchange, buildTools, keyHolder } from "../../kit/exchange.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import { manyTools } from "../../kit/many-tools.ts";
import { textAdapter } from "../../kit/text-adapter.ts";

const tools = manyTools(200).map((tool) => ({ type: "function", function: tool }));
const asked = { role: "user", content: "get me out of the Thursday trip" };
const called = [
  { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "translate_recipe" } }] },
  { role: "tool", tool_call_id: "1", content: "done" },
];

function operationOf(messages: readonly object[]): Operation {
  const json: LlmRequest["json"] = { model: "m", messages, tools };
  const body = Buffer.from(JSON.stringify(json));
  const scan = scanJson(body, { maxDepth: 99 });
  const own: LlmRequest = { ...nothingSeen, kind: "chat", dialect: "openai-chat", json, scan, wantsUsage: false };
  return { id: "1", parentId: undefined, kind: "chat", name: "m", stream: false, body, message: own, usage: undefined };
}

const emptyShelf = () =>
  createUseShelf({ knowsWord: () => true, withoutPersonalData: (text) => text, log: memoryLog() });

function filterWith(given: object, shelf = emptyShelf()) {
  const parts = { ...buildTools(), embed: () => builtIn, learnt: shelf.at };
  const handlers = semanticToolFilter.compile(filterConfig.parse({ limit: 1, ...given }), parts, {
    place: "api/policies[0]",
  });
  return async (messages: readonly object[], application: typeof applicationId | null = applicationId) => {
    const principal = { ...keyHolder, applicationId: application ?? undefined };
    const exchange = buildExchange({ adapter: { ...textAdapter, offeredTools }, principal });
    await handlers.request?.(exchange, operationOf(messages));
    return exchange.tools?.keptNames ?? [];
  };
}

describe("a filter that learns", () => {
  test("finds for the same application what a like request has led to, over publishes too", async () => {
    const shelf = emptyShelf();
    const filter = filterWith({ learn: true }, shelf);
    expect(await filter([asked])).not.toContain("translate_recipe");
    await filter([asked, ...called]);
    expect(await filter([asked])).toEqual(["translate_recipe"]);
    expect(await filterWith({ learn: true }, shelf)([asked])).toEqual(["translate_recipe"]);
  });

  test("tells no other application, before two have been led there", async () => {
    const filter = filterWith({ learn: true });
    await filter([asked, ...called]);
    const other = "app_000000000000000000000002" as typeof applicationId; // another one
    expect(await filter([asked], other)).not.toContain("translate_recipe");
  });

  test.each([
    { name: "a call without a result", messages: [asked, ...called.slice(0, 1)] },
    { name: "a result of an earlier turn", messages: [asked, ...called, { role: "user", content: "thanks" }] },
  ])("learns nothing from $name", async ({ messages }) => {
    const filter = filterWith({ learn: true });
    await filter(messages);
    expect(await filter([asked])).not.toContain("translate_recipe");
  });

  test("learns nothing where it is not told to, nor from callers without an application", async () => {
    const silent = filterWith({});
    await silent([asked, ...called]);
    expect(await silent([asked])).not.toContain("translate_recipe");
    const filter = filterWith({ learn: true });
    await filter([asked, ...called], null);
    expect(await filter([asked])).not.toContain("translate_recipe");
  });
});
