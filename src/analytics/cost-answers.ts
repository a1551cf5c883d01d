import { z } from "zod";
import type { Selection } from "./analytics-reader.ts";

/** What costs can be added up by; `label:NAME` by the values of that label. */
export const costGroups = ["team", "api", "application", "key", "provider", "model"] as const;

export type CostGroup = (typeof costGroups)[number];

/** The length of a step, by the calendar of UTC; `total` is the whole range. */
export const costSteps = ["total", "hour", "day", "week", "month"] as const;

export type CostStep = (typeof costSteps)[number];

/** How costs are added up. */
export interface CostRequest {
  readonly groupBy: CostGroup | { readonly label: string };
  readonly granularity: CostStep;
  /** Only tries at this provider, by its name. */
  readonly provider?: string | undefined;
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. An unreadable one throws `request.invalid`. */
  readonly cursor?: string | undefined;
}

const moneySumSchema = z.string().nullable();

/** What one group has cost in one step of time, in one currency. */
export const costRowSchema = z.strictObject({
  at: z.iso.datetime().meta({ description: "When the step begins." }),
  group: z.string().nullable().meta({
    description: "An id, or the name of a provider, a model or a label's value; null for what has none.",
  }),
  name: z.string().nullable().meta({ description: "Of an API, its name." }),
  currency: z.string().nullable().meta({ description: "Nothing is converted; null for what has no price." }),
  cost: moneySumSchema.meta({ description: "In units of the currency, exactly; null where no cost is known." }),
  estimated: moneySumSchema.meta({ description: "Of it, what is an estimate." }),
  tries: z.int().meta({ description: "Calls of upstreams, those that failed too." }),
  unknown: z.int().meta({ description: "Of them, those that have used something whose cost is not known." }),
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  cacheWriteTokens: z.int(),
  outputTokens: z.int(),
  reasoningTokens: z.int(),
});

export type CostRow = z.output<typeof costRowSchema>;

/** A page of costs: by time, in each step the dearest first. `next` continues it; undefined at the end. */
export interface CostPage {
  readonly rows: readonly CostRow[];
  readonly next: string | undefined;
}

/** How a router in the shadow compares with the one that decides, at one API. */
export const shadowComparisonSchema = z.strictObject({
  apiId: z.string(),
  apiName: z.string(),
  shadowStrategy: z.string(),
  requests: z.int().meta({ description: "In which both were asked." }),
  decided: z.int().meta({ description: "Of them, those in which the shadow chose a target in time." }),
  agreed: z.int().meta({ description: "Of those, the ones in which both chose the same target first." }),
  agreement: z.number().nullable().meta({ description: "`agreed` as a share of `decided`." }),
  compared: z.int().meta({ description: "Requests of which both costs are known; the costs are theirs." }),
  currency: z.string().nullable(),
  cost: moneySumSchema.meta({ description: "What they cost." }),
  shadowCost: moneySumSchema.meta({ description: "What the same tokens would have cost where the shadow led." }),
  difference: moneySumSchema.meta({ description: "`shadowCost` without `cost`: below zero where it saves." }),
  differences: z
    .array(
      z.strictObject({
        target: z.string(),
        shadowTarget: z.string(),
        requests: z.int(),
        cost: moneySumSchema,
        shadowCost: moneySumSchema,
      }),
    )
    .meta({ description: "The ten most frequent pairs in which they differ." }),
});

export type ShadowComparison = z.output<typeof shadowComparisonSchema>;

/** Questions about money. They throw as those of `AnalyticsReader` do. */
export interface CostReader {
  costs(selection: Selection, request: CostRequest): Promise<CostPage>;
  /** APIs whose router has a shadow, those with most requests first. */
  routingShadow(selection: Selection, limit: number): Promise<readonly ShadowComparison[]>;
}
