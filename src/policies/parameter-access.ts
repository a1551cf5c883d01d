import { z } from "zod";
import { compileJsonPath } from "../kernel/json-path.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";

const scalar = z.union([z.string().max(500), z.number().min(-1e15).max(1e15), z.boolean()]);
const bound = z.number().min(-1e15).max(1e15).optional();

const ruleMembers = z.strictObject({
  path: z.string().min(2).max(1_000).startsWith("$").meta({
    title: "Path",
    description:
      "JSONPath (RFC 9535) over the message, such as `$.max_tokens`, `$.tools[*].type` or `$.params.arguments.limit`.",
  }),
  min: bound.meta({ title: "Least", description: "What is there must be a number, and no less." }),
  max: bound.meta({ title: "Most", description: "What is there must be a number, and no more." }),
  maxLength: z.int().min(0).max(10_000_000).optional().meta({
    title: "Longest",
    description: "What is there must be a list or a text, of no more items or characters.",
  }),
  oneOf: z.array(scalar).min(1).max(500).optional().meta({
    title: "One of",
    description: "What is there must be one of these.",
  }),
  forbidden: z.boolean().default(false).meta({ title: "Forbidden", description: "Nothing may be there." }),
  required: z.boolean().default(false).meta({ title: "Required", description: "Something must be there." }),
});

const ruleSchema = ruleMembers
  .refine(
    ({ min, max, maxLength, oneOf, forbidden, required }) =>
      [min, max, maxLength, oneOf].some((each) => each !== undefined) || forbidden || required,
    "say what is asked of it",
  )
  .refine(({ forbidden, required }) => !(forbidden && required), {
    message: "what is required cannot be forbidden",
    path: ["required"],
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    message: "must not be more than `max`",
    path: ["min"],
  });

type Rule = z.output<typeof ruleSchema>;

const config = z.strictObject({
  rules: z
    .array(ruleSchema)
    .min(1)
    .max(100)
    .meta({ title: "Rules", description: "All must hold; null counts as absent." }),
});

/**
 * Bounds what callers may set in their requests. The refusal names the member, in the caller's dialect. What dialects call
 * differently needs a rule for each name.
 */
export const parameterAccess = definePolicy({
  id: "parameter-access",
  title: "Parameter access",
  summary: "Bounds, lists, asks for or forbids parameters of requests.",
  config,
  examples: [
    {
      rules: [
        { path: "$.max_tokens", max: 4_096 },
        { path: "$.max_completion_tokens", max: 4_096 },
        { path: "$.max_output_tokens", max: 4_096 },
        { path: "$.temperature", min: 0, max: 1 },
        { path: "$.tools", forbidden: true },
      ],
    },
    {
      rules: [
        { path: "$.service_tier", oneOf: ["auto", "default"] },
        { path: "$.user", required: true, maxLength: 64 },
      ],
    },
  ],
  onError: "deny",
  needs: ["texts"],
  compile({ rules }) {
    const compiled = rules.map((rule) => ({ rule, path: compileJsonPath(rule.path) }));
    return {
      request({ api: { adapter } }, operation) {
        if (operation.body.length === 0) return undefined;
        const message = adapter.texts?.document(operation);
        if (message === undefined) return undefined;
        for (const { rule, path } of compiled) {
          const refusal = judge(rule, path.locate(message), message);
          if (refusal !== undefined) return refusal;
        }
        return undefined;
      },
    };
  },
});

type Location = readonly (string | number)[];

function judge(rule: Rule, locations: readonly Location[], message: unknown): Deny | undefined {
  const found = locations.map((at) => ({ at, value: valueAt(message, at) })).filter(({ value }) => value !== null);
  if (found.length === 0)
    return rule.required ? refuse(rule.path.replace(/^\$\.?/, ""), "is required here") : undefined;
  for (const { at, value } of found) {
    const fault = faultOf(rule, value);
    if (fault !== undefined) return refuse(nameOf(at), fault);
  }
  return undefined;
}

function faultOf({ min, max, maxLength, oneOf, forbidden }: Rule, value: unknown): string | undefined {
  if (forbidden) return "is not permitted here";
  if ((min !== undefined || max !== undefined) && typeof value !== "number") return "must be a number here";
  if (min !== undefined && Number(value) < min) return `must be at least ${min} here`;
  if (max !== undefined && Number(value) > max) return `must be at most ${max} here`;
  if (maxLength !== undefined) {
    if (typeof value !== "string" && !Array.isArray(value)) return "must be a list or a text here";
    if (value.length > maxLength) return `must not be longer than ${maxLength} here`;
  }
  if (oneOf !== undefined && !oneOf.some((each) => each === value)) return `must be one of ${oneOf.join(", ")} here`;
  return undefined;
}

function refuse(param: string, fault: string): Deny {
  return deny("request.invalid", `\`${param}\` ${fault}.`, { param });
}

/** `messages[0].role`, as providers name members in their errors. */
function nameOf(at: Location): string {
  return at
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

function valueAt(message: unknown, at: Location): unknown {
  return at.reduce<unknown>((value, step) => Reflect.get(Object(value), step), message);
}
