import { expect, test } from "vitest";
import type { z } from "zod";
import type { TextEmbedder } from "../../../src/pipeline/plugin.ts";
import { trainQualityMap } from "../../../src/routing/cost-quality/train-quality-map.ts";
import { costQuality } from "../../../src/routing/strategies/cost-quality.ts";
import { builtIn } from "../../kit/built-in-embedder.ts";
import { buildExchange, buildOperation, buildTools } from "../../kit/exchange.ts";
import { targetCalled } from "../../kit/targets.ts";
import { requestBody } from "../../kit/text-adapter.ts";
import { twoKinds } from "../cost-quality/outcomes.ts";

const table = twoKinds();
const router = trainQualityMap(table, await builtIn.embed(table.prompts), builtIn.modelId);
const targets = ["openai/large", "other/small"].map((id) => targetCalled(id));

function routed(given: Partial<z.input<typeof costQuality.config>> = {}, embedder: TextEmbedder = builtIn) {
  const tools = buildTools();
  const strategy = costQuality.compile(costQuality.config.parse({ router, quality: 0.98, ...given }), {
    ...tools,
    embed: () => embedder,
  });
  const ask = async (text: string, offered = targets) => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(["messages[0].content", text]) });
    const chosen = await strategy.choose(offered, exchange, operation);
    return { ids: chosen.map(({ id }) => id), ...exchange.route };
  };
  return { ask, strategy, tools };
}

test("the cheap model has what it is good at, the dear one the rest, and each follows when the other fails", async () => {
  const { ask } = routed();
  expect(await ask("a limerick please, and a haiku about spring")).toMatchObject({
    ids: ["other/small", "openai/large"],
    route: "small",
    reason: "good-enough",
  });
  const code = await ask("my function has a compiler error");
  expect(code).toMatchObject({ ids: ["openai/large", "other/small"], route: "large", reason: "good-enough" });
  expect(code.scores?.map(({ route }) => route)).toEqual(["large", "small"]);
});

test("for little quality the cheap model does everything", async () => {
  const { ask } = routed({ quality: 0.3 });
  expect((await ask("my function has a compiler error")).route).toBe("small");
});

test("models stand for the targets that are given to them", async () => {
  const named = ["openai/gpt-5", "openai/gpt-5-nano", "spare"].map((id) => targetCalled(id));
  const { ask } = routed({ targets: { large: ["openai/gpt-5"], small: ["*nano"] } });
  expect((await ask("a limerick please, and a haiku about spring", named)).ids).toEqual([
    "openai/gpt-5-nano",
    "openai/gpt-5",
    "spare",
  ]);
});

test("only models that are offered are chosen; what the router does not know is tried when it knows none", async () => {
  const { ask } = routed();
  expect((await ask("my function", [targetCalled("other/small")])).route).toBe("small");
  const unknown = [targetCalled("spare")];
  expect(await ask("my function", unknown)).toMatchObject({ ids: ["spare"], route: undefined, reason: "not-offered" });
});

test("without a text, and while its vector does not come, the best model has it", async () => {
  const { ask } = routed();
  expect(await ask("")).toMatchObject({ route: "large", reason: "no-text" });
  expect(await ask("天气")).toMatchObject({ route: "large", reason: "no-text" });
  const failing = { ...like(builtIn), embed: () => Promise.reject(new Error("down")) };
  expect(await routed({}, failing).ask("a poem")).toMatchObject({ route: "large", reason: "failed" });
  const throwing = {
    ...like(builtIn),
    embed: () => {
      throw new Error("broken");
    },
  };
  expect(await routed({}, throwing).ask("a poem")).toMatchObject({ route: "large", reason: "failed" });
  const slow = routed({ deadlineMs: 50 }, { ...like(builtIn), embed: () => new Promise(() => undefined) });
  const asked = slow.ask("a poem");
  slow.tools.clock.advance(50);
  expect(await asked).toMatchObject({ route: "large", reason: "deadline" });
});

test("a router of another embedder is refused at publish, in words that say what to do", () => {
  expect(() => routed({}, { ...like(builtIn), modelId: "other", embed: () => [] })).toThrow("Train it again");
});

function like({ modelId, dimensions, thresholds }: TextEmbedder): Omit<TextEmbedder, "embed"> {
  return { modelId, dimensions, thresholds };
}
