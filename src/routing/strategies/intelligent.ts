import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../../core/api-spec.ts";
import { modelPriceSchema } from "../../core/model-price.ts";
import { moneySchema } from "../../core/money.ts";
import { createFailureRest } from "../../embedding/failure-rest.ts";
import { entryLimit } from "../../kernel/entry-limit.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { ModelPrice } from "../../pipeline/price-table.ts";
import { accountPrices } from "../../pipeline/price-table.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { Classified } from "./classify.ts";
import { createClassify } from "./classify.ts";
import { conversationText } from "./conversation-text.ts";
import type { DecisionSpending } from "./decision-spending.ts";
import { createSpending } from "./decision-spending.ts";
import { globOrder, targetGlobs, withDefault } from "./glob-order.ts";

const rule = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .refine((name) => name !== "none", "`none` is what the model answers when no rule fits")
    .meta({ title: "Name", description: "Lower-case letters, digits and hyphens; it stands in analytics." }),
  context: z
    .string()
    .min(1)
    .max(2_000)
    .meta({ title: "Context", description: "What requests of this rule are about, in words for the model." }),
  targets: targetGlobs,
});

const classifier = z.strictObject({
  baseUrl: httpUrlSchema.default("https://api.openai.com/v1").meta({
    title: "Base URL",
    description: "What stands before `/chat/completions`. The key goes to this host only.",
  }),
  model: z.string().min(1).max(256).meta({ title: "Model", description: "A small and fast one does." }),
  apiKey: secretReferenceSchema
    .optional()
    .meta({ title: "API key", description: "The secret that holds the key; no key is sent when absent." }),
  header: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
    .default("authorization")
    .meta({ title: "Key header", description: "The header that carries the key." }),
  scheme: z
    .string()
    .max(32)
    .regex(/^[A-Za-z]*$/, "a word, or nothing")
    .default("Bearer")
    .meta({ title: "Key scheme", description: "The word before the key; empty for none." }),
  timeoutMs: z.int().min(50).max(30_000).default(2_000).meta({
    title: "Timeout",
    description: "Milliseconds that a request waits for the decision; then the default serves.",
  }),
  maxTokens: z.int().min(8).max(16_384).default(512).meta({
    title: "Answer",
    description: "Tokens that the model may take to answer, what it thinks before included.",
  }),
  price: modelPriceSchema.optional().meta({
    title: "Price",
    description: "What the model costs; at OpenAI's own address the built-in price when absent, else none.",
  }),
});

const config = z.strictObject({
  classifier: classifier.meta({ title: "Classifier", description: "The model that is asked, in OpenAI's dialect." }),
  rules: z
    .array(rule)
    .min(1)
    .max(50)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "each name once")
    .meta({ title: "Rules", description: "What requests may be about." }),
  default: targetGlobs.meta({ title: "Default", description: "Globs of target ids for what no rule fits." }),
  turns: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .meta({ title: "Turns", description: "How many of the user's last turns are shown to the model." }),
  includeSystem: z
    .boolean()
    .default(false)
    .meta({ title: "System text", description: "The system's text is shown too." }),
  cacheSeconds: z.int().min(0).max(86_400).default(300).meta({
    title: "Cache",
    description: "Seconds that a decision holds for the same text; 0 for none. Texts are not kept, only their hash.",
  }),
  tokensPerHour: z.int().min(0).max(1_000_000_000).default(1_000_000).meta({
    title: "Budget",
    description: "Tokens that this gateway may spend on decisions in an hour; then the default serves. 0 for no bound.",
  }),
  costPerHour: moneySchema.optional().meta({
    title: "Money budget",
    description: 'Money that this gateway may spend on decisions in an hour, such as "2.50"; then the default serves.',
  }),
});

/**
 * Asks a model which of the named rules a request falls under, and sends it where that rule says. Every way that leads to
 * no rule (no text, no fit, an answer that is no choice, a timeout, a failure, a spent budget) leads to the default, and
 * is told. What is chosen is tried first; the default's targets follow for when it fails.
 */
export const intelligent = defineStrategy({
  id: "intelligent",
  title: "Intelligent",
  summary: "Asks a model which rule a request falls under.",
  config,
  examples: [
    {
      classifier: { model: "gpt-5-nano", apiKey: "${secret:openai-key}" },
      rules: [
        { name: "code", context: "Writing, reading or mending program code.", targets: ["openai/gpt-5"] },
        {
          name: "small-talk",
          context: "Greetings, jokes, chat about nothing in particular.",
          targets: ["openai/*nano"],
        },
      ],
      default: ["openai/*"],
    },
  ],
  compile(given, tools) {
    const order = new Map(given.rules.map(({ name, targets }) => [name, globOrder(targets)]));
    const byDefault = globOrder(given.default);
    const decisions = createDecisions(given, tools);
    return {
      choose(offered, exchange, operation) {
        const startedMs = tools.clock.monotonic();
        const settle = ({ rule: found, reason, spent }: Decided): readonly CompiledTarget[] => {
          const tookMs = tools.clock.monotonic() - startedMs;
          exchange.route = { strategy: "intelligent", route: found, reason, scores: [], tookMs, ...spent };
          const chosen = found === undefined ? [] : (order.get(found)?.(offered) ?? []);
          return withDefault(chosen, byDefault(offered), offered);
        };
        const said = conversationText(exchange, operation, given);
        if (said.trim() === "") return settle({ rule: undefined, reason: "no-text" });
        const decided = decisions.decide(said);
        return decided instanceof Promise ? decided.then(settle) : settle(decided);
      },
      dispose: () => decisions.dispose(),
    };
  },
});

interface Decided {
  readonly rule: string | undefined;
  readonly reason: string;
  /** What the decision has cost; absent where the model was not asked for it. */
  readonly spent?: DecisionSpending;
}

const mostDecisions = 10_000;

/** Decisions by text: remembered, asked for once by many at a time, and within the budget. */
function createDecisions(given: z.output<typeof config>, tools: PluginTools) {
  const { clock, log } = tools;
  const { timeoutMs } = given.classifier;
  const classify = createClassify(given.classifier, given.rules, tools);
  const rest = createFailureRest({ clock, failures: 5, openMs: 10_000 });
  const known = new LRUCache<string, { readonly decided: Decided; readonly untilMs: number }>(
    entryLimit(mostDecisions),
  );
  const asking = new Map<string, Promise<Decided>>();
  const ended = new AbortController();
  const spending = createSpending(given, priceOf(given, tools), clock);
  const ask = async (key: string, said: string): Promise<Decided> => {
    try {
      const { rule: found, reason, tokens } = await inTime(classify, said, timeoutMs, clock, ended);
      rest.note("good");
      const decided = { rule: found, reason };
      if (given.cacheSeconds > 0 && reason !== "no-choice") {
        known.set(key, { decided, untilMs: clock.monotonic() + given.cacheSeconds * 1_000 });
      }
      return { ...decided, spent: spending.take(tokens, false) };
    } catch (error) {
      rest.note(ended.signal.aborted ? "unknown" : "bad");
      if (!ended.signal.aborted) log.warn({ err: error }, "a request could not be classified");
      const isLate = error instanceof GatewayError && error.code === "upstream.timeout";
      if (!isLate) return { rule: undefined, reason: "failed" };
      // It was at work, and bills at least what it has read.
      const tokens = { inputTokens: classify.promptTokens(said), outputTokens: 0 };
      return { rule: undefined, reason: "deadline", spent: spending.take(tokens, true) };
    } finally {
      asking.delete(key);
    }
  };
  return {
    decide(said: string): Decided | Promise<Decided> {
      const key = hash("sha256", said, "base64url");
      const remembered = known.get(key);
      if (remembered !== undefined && remembered.untilMs > clock.monotonic()) return remembered.decided;
      const others = asking.get(key);
      if (others !== undefined) return others.then(({ rule: found, reason }) => ({ rule: found, reason }));
      if (spending.isSpent()) return { rule: undefined, reason: "budget" };
      if (rest.waitMs() > 0) return { rule: undefined, reason: "resting" };
      const decided = ask(key, said);
      asking.set(key, decided);
      return decided;
    },
    dispose: () => ended.abort(),
  };
}

/** What the model that decides costs. Throws `config.invalid` where a budget in money has no price to go by. */
function priceOf({ classifier: asked, costPerHour }: z.output<typeof config>, { prices }: PluginTools) {
  const isOpenAi = new URL(asked.baseUrl).host === "api.openai.com";
  const builtIn = isOpenAi ? prices?.provider("openai") : undefined;
  const written = asked.price && { "*": asked.price };
  const price: ModelPrice | undefined = accountPrices(written, builtIn ?? (() => undefined))(asked.model);
  if (costPerHour !== undefined && price === undefined) {
    throw new GatewayError(
      "config.invalid",
      `costPerHour: no price of \`${asked.model}\` is known; give classifier.price.`,
    );
  }
  return price;
}

/** Rejects with `upstream.timeout` on our own clock, and lets go of the call. */
async function inTime(
  classify: ReturnType<typeof createClassify>,
  said: string,
  limitMs: number,
  clock: PluginTools["clock"],
  ended: AbortController,
): Promise<Classified> {
  const late = new AbortController();
  const limit = Promise.withResolvers<never>();
  const cancel = clock.after(limitMs, () => {
    limit.reject(new GatewayError("upstream.timeout", "The model that classifies requests did not answer in time."));
    late.abort();
  });
  try {
    return await Promise.race([classify(said, AbortSignal.any([ended.signal, late.signal])), limit.promise]);
  } finally {
    cancel();
  }
}
