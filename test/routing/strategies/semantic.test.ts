import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { TextEmbedder } from "../../../src/pipeline/plugin.ts";
import { semantic } from "../../../src/routing/strategies/semantic.ts";
import { eventually } from "../../kit/eventually.ts";
import { buildExchange, buildOperation, buildTools } from "../../kit/exchange.ts";
import { targetCalled } from "../../kit/targets.ts";
import { requestBody } from "../../kit/text-adapter.ts";

type Config = z.input<typeof semantic.config>;

const targets = ["openai/big", "openai/small", "other/spare"].map((id) => targetCalled(id));

const config: Config = {
  routes: [
    {
      name: "weather",
      utterances: ["what is the weather like", "will it rain tomorrow", "how warm is it outside"],
      negative: ["write a poem about the rain"],
      targets: ["openai/big"],
    },
    {
      name: "money",
      utterances: ["what is my account balance", "transfer money to my savings account", "pay this bill"],
      targets: ["openai/small"],
    },
  ],
  default: ["other/*"],
};

async function routed(given: Partial<Config> = {}, embed?: TextEmbedder) {
  const tools = buildTools();
  const strategy = semantic.compile(semantic.config.parse({ ...config, ...given }), {
    ...tools,
    ...(embed === undefined ? {} : { embed: () => embed }),
  });
  const ask = async (text: string) => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(["messages[0].content", text]) });
    const chosen = await strategy.choose(targets, exchange, operation);
    return { ids: chosen.map(({ id }) => id), ...exchange.route };
  };
  return {
    tools,
    strategy,
    ask,
    ready: () => eventually("the routes are there", async () => (await ask("hello there")).reason !== "not-ready"),
  };
}

describe("semantic routing", () => {
  test("sends what is meant to the targets of its route, and the default's behind them", async () => {
    const { ask, ready } = await routed();
    await ready();
    expect(await ask("is it going to rain in Paris tomorrow")).toMatchObject({
      ids: ["openai/big", "other/spare"],
      route: "weather",
      reason: "matched",
    });
    expect(await ask("please pay this bill from my savings account")).toMatchObject({
      ids: ["openai/small", "other/spare"],
      route: "money",
    });
  });

  test("sends what matches nothing to the default, and says how near it was", async () => {
    const { ask, ready } = await routed();
    await ready();
    const found = await ask("the history of the trombone");
    expect(found).toMatchObject({ ids: ["other/spare"], route: undefined, reason: "below-threshold" });
    expect(found.scores).toHaveLength(2);
  });

  test("does not take for a route what is nearer to what it is not", async () => {
    const { ask, ready } = await routed();
    await ready();
    expect(await ask("write a poem about the rain")).toMatchObject({ route: undefined, reason: "below-threshold" });
  });

  test("abstains where two routes are as probable as each other", async () => {
    const same = ["what is the weather like", "will it rain tomorrow"];
    const { ask, ready } = await routed({
      routes: ["one", "two"].map((name) => ({ name, utterances: same, targets: ["openai/*"] })),
      margin: 0.2,
    });
    await ready();
    expect(await ask("will it rain tomorrow")).toMatchObject({ ids: ["other/spare"], reason: "ambiguous" });
  });

  test("a route's own threshold lets a lower score pass that is highest for another", async () => {
    const [weather, money] = config.routes;
    if (weather === undefined || money === undefined) throw new Error("two routes are configured");
    const { ask, ready } = await routed({
      routes: [
        { ...weather, threshold: 1 },
        { ...money, threshold: 0 },
      ],
    });
    await ready();
    expect(await ask("will it rain in the morning")).toMatchObject({ route: "money", reason: "matched" });
  });

  test("where the configured targets do not serve the model, those that do are tried", async () => {
    const { ask, ready } = await routed({ default: ["nowhere/*"] });
    await ready();
    expect((await ask("the history of the trombone")).ids).toEqual(["openai/big", "openai/small", "other/spare"]);
  });
});

/** An embedder whose answers the test gives. */
function slowEmbedder(answer: () => ReturnType<TextEmbedder["embed"]>): TextEmbedder {
  return {
    modelId: "slow",
    dimensions: 2,
    thresholds: { route: 0.5, tool: 0.5, guard: 0.5, cache: 0.5 },
    embed: (texts) => (texts.length > 1 ? texts.map(() => Float32Array.of(1, 0)) : answer()),
  };
}

describe("an embedder that is far away", () => {
  test("is waited for until the deadline, then the default serves", async () => {
    const { ask, tools } = await routed(
      { deadlineMs: 50 },
      slowEmbedder(() => new Promise(() => {})),
    );
    const asked = ask("will it rain");
    tools.clock.advance(50);
    expect(await asked).toMatchObject({ ids: ["other/spare"], reason: "deadline" });
  });

  test("that fails leaves the default to serve", async () => {
    const { ask } = await routed(
      {},
      slowEmbedder(() => Promise.reject(new Error("gone"))),
    );
    expect(await ask("will it rain")).toMatchObject({ ids: ["other/spare"], reason: "failed" });
  });

  test("that failed for the examples is asked again, and no route is given up", async () => {
    let isDown = true;
    const embedder: TextEmbedder = {
      ...slowEmbedder(() => Promise.resolve([Float32Array.of(1, 0)])),
      embed: (texts) =>
        isDown ? Promise.reject(new Error("down")) : Promise.resolve(texts.map(() => Float32Array.of(1, 0))),
    };
    const { ask, tools } = await routed({}, embedder);
    expect(await ask("will it rain")).toMatchObject({ reason: "failed" });
    isDown = false;
    expect(await ask("will it rain")).toMatchObject({ reason: "not-ready" });
    tools.clock.advance(5_000);
    await eventually("the examples are embedded", async () => (await ask("will it rain")).route === "money");
  });

  test("a text that means nothing to it matches nothing", async () => {
    const { ask, ready } = await routed(
      {},
      slowEmbedder(() => Promise.resolve([undefined])),
    );
    await ready();
    expect(await ask("…")).toMatchObject({ route: undefined, reason: "no-text" });
  });
});
