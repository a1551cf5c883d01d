import { z } from "zod";
import { fitRouteHead } from "../../embedding/route-head.ts";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { RouteDecision } from "../../pipeline/route-decision.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { conversationText } from "./conversation-text.ts";
import type { SaidVector } from "./embed-in-time.ts";
import { embedInTime } from "./embed-in-time.ts";
import { globOrder, targetGlobs, withDefault } from "./glob-order.ts";
import type { CompiledRoutes, RouteSpec } from "./semantic-routes.ts";
import { chooseRoute, compileRoutes } from "./semantic-routes.ts";

const text = z.string().min(1).max(2_000);

const route = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .meta({ title: "Name", description: "Lower-case letters, digits and hyphens; it stands in analytics." }),
  utterances: z
    .array(text)
    .min(1)
    .max(200)
    .meta({ title: "Utterances", description: "What people say who mean it; 5 to 10 do well." }),
  negative: z.array(text).max(200).default([]).meta({
    title: "Not",
    description: "What sounds like it and is not: a text nearer to one of these does not match.",
  }),
  threshold: z.number().min(0).max(1).optional().meta({
    title: "Threshold",
    description: "Likeness to the nearest utterance from which on it matches; the embedder's own when absent.",
  }),
  targets: targetGlobs,
});

const config = z.strictObject({
  routes: z.array(route).min(1).max(200).meta({ title: "Routes", description: "What requests may mean." }),
  default: targetGlobs.meta({ title: "Default", description: "Globs of target ids for what matches no route." }),
  margin: z.number().min(0).max(1).default(0.05).meta({
    title: "Margin",
    description:
      "How much more probable the best of several matching routes must be than the second; else the default.",
  }),
  turns: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .meta({ title: "Turns", description: "How many of the user's last turns are looked at." }),
  includeSystem: z
    .boolean()
    .default(false)
    .meta({ title: "System text", description: "The system's text is looked at too." }),
  deadlineMs: z.int().min(1).max(10_000).default(300).meta({
    title: "Deadline",
    description: "Milliseconds that an embedder may take; then the default serves. The built-in one takes none.",
  }),
  embedder: z
    .strictObject({
      use: z.string().min(1).max(64).meta({ title: "Embedder", description: "Its id." }),
      with: z.record(z.string(), z.unknown()).default({}).meta({ title: "Configuration", description: "Its own." }),
    })
    .optional()
    .meta({ title: "Embedder", description: "Another one than the deployment's." }),
});

/**
 * Sends an operation where others of its meaning go. A route matches when its nearest utterance is at least as like as
 * its threshold asks; of several that match the most probable one wins, by a head fitted to all utterances at publish,
 * unless the second is nearly as probable. Everything else goes to the default. What is chosen is tried first; the
 * default's targets follow for when it fails.
 */
export const semantic = defineStrategy({
  id: "semantic",
  title: "Semantic",
  summary: "Chooses targets by the meaning of what the user says, from examples.",
  config,
  examples: [
    {
      routes: [
        { name: "code", utterances: ["write a function", "why does this not compile"], targets: ["openai/gpt-5*"] },
        { name: "chat", utterances: ["how are you", "tell me a joke"], targets: ["openai/gpt-5-nano"], threshold: 0.4 },
      ],
      default: ["openai/*"],
    },
  ],
  compile(given, tools) {
    const routes = prepare(given.routes, tools, given.embedder);
    const order = new Map(given.routes.map((each) => [each.name, globOrder(each.targets)]));
    const byDefault = globOrder(given.default);
    const decide = (vector: SaidVector): Decided => {
      if (typeof vector === "string") return { route: undefined, reason: vector, scores: [] };
      const found = routes.ready();
      if (found === undefined) return { route: undefined, reason: "not-ready", scores: [] };
      return chooseRoute(found, vector, given.margin);
    };
    return {
      choose(offered, exchange, operation) {
        const startedMs = tools.clock.monotonic();
        const settle = (vector: SaidVector): readonly CompiledTarget[] => {
          const decided = decide(vector);
          const tookMs = tools.clock.monotonic() - startedMs;
          exchange.route = { strategy: "semantic", ...decided, tookMs };
          const chosen = decided.route === undefined ? [] : (order.get(decided.route)?.(offered) ?? []);
          return withDefault(chosen, byDefault(offered), offered);
        };
        const said = conversationText(exchange, operation, given);
        const vector = embedInTime(routes.embedder, said, given.deadlineMs, tools, routes.signal);
        return vector instanceof Promise ? vector.then(settle) : settle(vector);
      },
      dispose: () => routes.dispose(),
    };
  },
});

type Decided = Omit<RouteDecision, "strategy" | "tookMs">;

const retryMs = 5_000;

/** The routes' vectors, made once at publish and again until they are there: no route is given up. */
function prepare(specs: readonly RouteSpec[], tools: PluginTools, embedder: z.output<typeof config>["embedder"]) {
  const model = tools.embed(embedder);
  const ended = new AbortController();
  let found: CompiledRoutes | undefined;
  let cancel: (() => void) | undefined;
  const attempt = (): void => {
    compileRoutes(specs, model, fitRouteHead, ended.signal).then(
      (compiled) => {
        found = compiled;
      },
      (error: unknown) => {
        if (ended.signal.aborted) return;
        tools.log.warn({ err: error }, "the examples of routes could not be embedded; it is tried again");
        cancel = tools.clock.after(retryMs, attempt);
      },
    );
  };
  attempt();
  return {
    /** Undefined until all of them are there; vectors of another model than the text's never meet it. */
    ready: () => (found?.modelId === model.modelId ? found : undefined),
    embedder: model,
    signal: ended.signal,
    dispose(): void {
      cancel?.();
      ended.abort();
    },
  };
}
