import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { Rule } from "../../pipeline/compile-condition.ts";
import { compileRule } from "../../pipeline/compile-condition.ts";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { requestJson } from "../../pipeline/request-json.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { CompiledTest } from "./content-tests.ts";
import { compileTest, contentTest } from "./content-tests.ts";
import { globOrder, targetGlobs, withDefault } from "./glob-order.ts";
import type { TargetWatch } from "./target-figures.ts";
import { createTargetWatch } from "./target-figures.ts";

const rule = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .meta({ title: "Name", description: "Lower-case letters, digits and hyphens; it stands in analytics." }),
  tests: z.array(contentTest).max(20).default([]).meta({ title: "Tests", description: "All of them must fit." }),
  when: z.string().min(1).max(2_000).optional().meta({
    title: "When",
    description:
      "A CEL expression over `request`, `operation`, `principal`, `api`, `body`, `targets`, `budget` and `time`; what cannot be evaluated does not fit.",
  }),
  targets: targetGlobs,
});

const config = z.strictObject({
  rules: z.array(rule).min(1).max(200).meta({ title: "Rules", description: "The first that fits decides." }),
  default: targetGlobs.meta({ title: "Default", description: "Globs of target ids for what no rule fits." }),
  timeZone: z
    .string()
    .max(64)
    .default("UTC")
    .refine(isTimeZone, "no time zone of the IANA database")
    .meta({ title: "Time zone", description: "In which `time` tells hour and day, such as Europe/Berlin." }),
});

/** What CEL expressions may name beside the variables of every condition. */
const variables = ["body", "targets", "budget", "time"];

/**
 * Sends an operation where the first fitting rule says: by headers, parameters, claims, members of the body, and by how
 * targets do, what is left of limits, and the time of day. What is chosen is tried first; the default's targets follow for
 * when it fails. Measures in this process.
 */
export const content = defineStrategy({
  id: "content",
  title: "Content",
  summary: "Chooses targets by what the request says, how targets do, and the time of day.",
  config,
  examples: [
    {
      rules: [
        { name: "gold", tests: [{ in: "header", name: "x-tier", value: "gold" }], targets: ["openai/gpt-5"] },
        {
          name: "tier-of-the-body",
          tests: [{ in: "body", name: "$.metadata.tier", is: "one-of", values: ["free", "trial"] }],
          targets: ["openai/gpt-5-nano"],
        },
        {
          name: "by-night-or-when-poor",
          when: "time.hour < 6 || budget.left < 0.1 || !targets['openai/gpt-5'].healthy",
          targets: ["openai/gpt-5-nano"],
        },
      ],
      default: ["openai/*"],
    },
  ],
  compile(given, { clock }) {
    const rules = given.rules.map(compileOne);
    const byDefault = globOrder(given.default);
    const watch = createTargetWatch(() => clock.monotonic());
    const timeOf = given.rules.some(({ when }) => when !== undefined) ? localTime(clock, given.timeZone) : undefined;
    return {
      choose(offered, exchange, operation) {
        const startedMs = clock.monotonic();
        let known: Readonly<Record<string, unknown>> | undefined;
        const facts = () => (known ??= factsOf(exchange, operation, offered, watch, timeOf?.() ?? {}));
        const found = rules.find(
          ({ tests, when }) =>
            tests.every((test) => test(exchange, operation)) &&
            (when === undefined || when(exchange, operation, facts())),
        );
        exchange.route = {
          strategy: "content",
          route: found?.name,
          reason: found === undefined ? "no-rule" : "matched",
          scores: [],
          tookMs: clock.monotonic() - startedMs,
        };
        return withDefault(found?.order(offered) ?? [], byDefault(offered), offered);
      },
      tried: (target) => watch.tried(target),
      ended: (target, end) => watch.ended(target, end),
    };
  },
});

interface CompiledRule {
  readonly name: string;
  readonly tests: readonly CompiledTest[];
  readonly when: Rule | undefined;
  readonly order: (offered: readonly CompiledTarget[]) => readonly CompiledTarget[];
}

function compileOne({ name, tests, when, targets }: z.output<typeof rule>): CompiledRule {
  if (tests.length === 0 && when === undefined) {
    throw new GatewayError(
      "resource.invalid",
      `The rule ${name} has neither tests nor a condition; make it the default.`,
    );
  }
  return {
    name,
    tests: tests.map(compileTest),
    when: when === undefined ? undefined : compileRule(when, variables),
    order: globOrder(targets),
  };
}

function factsOf(
  exchange: Exchange,
  operation: Operation,
  offered: readonly CompiledTarget[],
  watch: TargetWatch,
  time: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const message = requestJson(exchange, operation);
  return {
    body: message !== null && typeof message === "object" ? message : {},
    targets: Object.fromEntries(offered.map(({ id }) => [id, watch.figuresOf(id)])),
    budget: { left: exchange.limitLeft ?? 1 },
    time,
  };
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Hour (0 to 23), minute and weekday (1, Monday, to 7), made once a minute. */
function localTime(clock: Clock, timeZone: string): () => Readonly<Record<string, unknown>> {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  let minute = Number.NaN;
  let told: Readonly<Record<string, unknown>> = {};
  return () => {
    const now = Math.floor(clock.now() / 60_000);
    if (now === minute) return told;
    const parts = new Map(format.formatToParts(now * 60_000).map(({ type, value }) => [type, value]));
    minute = now;
    told = {
      hour: Number(parts.get("hour")),
      minute: Number(parts.get("minute")),
      weekday: weekdays.indexOf(parts.get("weekday") ?? "") + 1,
    };
    return told;
  };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
