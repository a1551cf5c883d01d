import { expect, test } from "vitest";
import type { PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { RouteDecision } from "../../src/pipeline/route-decision.ts";
import { costBudget } from "../../src/policies/cost-budget.ts";
import { tokenLimit } from "../../src/policies/token-limit.ts";
import type { TestTools } from "../kit/exchange.ts";
import { buildTools } from "../kit/exchange.ts";
import { admitCall, buildCall, usageOf } from "../kit/llm-limits.ts";

const place = { place: "llm_x/policies[0]" };
const aMillion = 1_000_000_000;
const price = { input: aMillion, cachedInput: aMillion, output: aMillion, reasoning: aMillion };

/** A model chose the way, for 0.60. */
const route: RouteDecision = {
  strategy: "intelligent",
  route: "code",
  reason: "matched",
  scores: [],
  tookMs: 1,
  classifierTokens: { input: 90, output: 5, isEstimated: false },
  classifierCost: { nanos: 600_000_000, currency: "USD" },
};

/** Whether a limit refuses the third call, after two of ten tokens each way whose way a model chose. */
async function refusesThird(compile: (tools: TestTools) => PolicyHandlers): Promise<boolean> {
  const tools = buildTools();
  const policy = compile(tools);
  const begin = async () => {
    const call = buildCall({ prices: [price], demand: { textBytes: 29, outputCap: 10 } });
    return { ...call, begun: await admitCall(policy, tools.limiter, call) };
  };
  for (let call = 1; call <= 2; call += 1) {
    const { begun, exchange } = await begin();
    if (!("end" in begun)) throw new Error("the first two calls fit");
    exchange.route = route;
    await begun.end(usageOf(10, 10));
  }
  return !("end" in (await begin()).begun);
}

test("a money budget pays for the model that chose the way", async () => {
  const config = costBudget.config.parse({ amount: "1.00", window: "day" });
  expect(await refusesThird((tools) => costBudget.compile(config, tools, place))).toBe(true);
});

test("a limit of tokens counts those of the request alone", async () => {
  const config = tokenLimit.config.parse({ tokens: 100 });
  expect(await refusesThird((tools) => tokenLimit.compile(config, tools, place))).toBe(false);
});
