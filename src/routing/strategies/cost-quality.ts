import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { RouteDecision } from "../../pipeline/route-decision.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { cheapestWithin, forecastOf, qualityMapSchema, slackFor } from "../cost-quality/quality-map.ts";
import { conversationText } from "./conversation-text.ts";
import type { SaidVector } from "./embed-in-time.ts";
import { embedInTime } from "./embed-in-time.ts";
import { globOrder, targetGlobs, withDefault } from "./glob-order.ts";

const config = z.strictObject({
  router: qualityMapSchema.meta({
    title: "Router",
    description: "What `gatehouse routing train` has learnt from outcomes.",
  }),
  quality: z.number().min(0).max(2).default(1).meta({
    title: "Quality",
    description: "The mean score that is wanted, as a share of the best single model's. 1 is as good as that model.",
  }),
  targets: z.record(z.string().min(1).max(256), targetGlobs).default({}).meta({
    title: "Targets",
    description:
      "By model of the router: globs of target ids. A model that is not named stands for targets of its name.",
  }),
  turns: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .meta({ title: "Turns", description: "How many of the user's last turns are looked at." }),
  deadlineMs: z.int().min(1).max(10_000).default(300).meta({
    title: "Deadline",
    description: "Milliseconds that an embedder may take; then the best single model serves.",
  }),
  embedder: z
    .strictObject({
      use: z.string().min(1).max(64).meta({ title: "Embedder", description: "Its id." }),
      with: z.record(z.string(), z.unknown()).default({}).meta({ title: "Configuration", description: "Its own." }),
    })
    .optional()
    .meta({
      title: "Embedder",
      description: "That which the router was trained with, where it is not the deployment's.",
    }),
});

/** Of one kind of prompts: as small as one can be. */
const exampleRouter: z.input<typeof qualityMapSchema> = {
  version: 1,
  modelId: "toolvec-en-256@c68f073f72fe",
  dimensions: 256,
  prompts: 500,
  models: [
    { name: "large", score: 0.82, cost: 12 },
    { name: "small", score: 0.71, cost: 1 },
  ],
  centres: Buffer.alloc(256, 7).toString("base64"),
  kinds: [{ prompts: 500, scores: [0.82, 0.71] }],
  curve: [
    { slack: 0, quality: 1, error: 0, cost: 12 },
    { slack: 0.15, quality: 0.87, error: 0.01, cost: 1 },
  ],
};

/**
 * Sends an operation to the cheapest model that is expected to answer nearly as well as the best would: by how models did
 * at prompts that are like it. How near is "nearly" follows from the wanted quality and what training has seen it reach.
 * The others follow, best first, for when it fails. Without a text, or without its vector, the best single model is first.
 */
export const costQuality = defineStrategy({
  id: "cost-quality",
  title: "Cost and quality",
  summary: "The cheapest model that is expected to be good enough, learnt from outcomes.",
  config,
  examples: [
    { router: exampleRouter, quality: 0.95, targets: { small: ["openai/gpt-5-nano"], large: ["openai/gpt-5"] } },
  ],
  compile({ router, quality, targets, turns, deadlineMs, embedder }, tools) {
    const model = tools.embed(embedder);
    if (model.modelId !== router.modelId) {
      const message = `The router was trained with the embedder ${router.modelId}, and this is ${model.modelId}. Train it again.`;
      throw new GatewayError("resource.invalid", message);
    }
    const ended = new AbortController();
    const forecast = forecastOf(router);
    const slack = slackFor(router, quality);
    const costs = router.models.map(({ cost }) => cost);
    const overall = Float64Array.from(router.models, ({ score }) => score);
    const places = router.models.map(({ name }) => globOrder(targets[name] ?? [name, `*/${name}`]));
    const decide = (vector: SaidVector, isOffered: (place: number) => boolean): Decided => {
      const isKnown = typeof vector !== "string";
      const expected = isKnown ? forecast.expect(vector) : overall;
      const order = highestFirst(expected).filter(isOffered);
      const chosen = cheapestWithin(expected, costs, isKnown ? slack : 0, isOffered);
      if (chosen < 0) return { route: undefined, reason: "not-offered", scores: [], order: [] };
      const scores = order.slice(0, told).map((place) => ({
        route: router.models[place]?.name ?? "",
        score: Math.round((expected[place] ?? 0) * 10_000) / 10_000,
      }));
      const reason = isKnown ? "good-enough" : vector;
      const rest = order.filter((place) => place !== chosen);
      return { route: router.models[chosen]?.name, reason, scores, order: [chosen, ...rest] };
    };
    return {
      choose(offered, exchange, operation) {
        const startedMs = tools.clock.monotonic();
        const own = places.map((order) => order(offered));
        const settle = (vector: SaidVector): readonly CompiledTarget[] => {
          const { order, ...decided } = decide(vector, (place) => (own[place]?.length ?? 0) > 0);
          exchange.route = { strategy: "cost-quality", ...decided, tookMs: tools.clock.monotonic() - startedMs };
          const chosen = [...new Set(order.flatMap((place) => own[place] ?? []))];
          return withDefault(chosen, offered, offered);
        };
        const said = conversationText(exchange, operation, { turns, includeSystem: false });
        const vector = embedInTime(model, said, deadlineMs, tools, ended.signal);
        return vector instanceof Promise ? vector.then(settle) : settle(vector);
      },
      dispose: () => ended.abort(),
    };
  },
});

type Decided = Omit<RouteDecision, "strategy" | "tookMs"> & { readonly order: readonly number[] };

/** Models whose expected scores are told. */
const told = 3;

function highestFirst(expected: Float64Array): readonly number[] {
  return [...expected.keys()].toSorted((left, right) => (expected[right] ?? 0) - (expected[left] ?? 0));
}
